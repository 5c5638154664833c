"""Where a capture was asked for, the asker's e-mail address, and room for the names of Kubernetes users."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Changes the captures; heartbeats begin anew, because SQLite replaces a table that is altered.

    A worker that is at a capture meanwhile beats again within seconds.
    """
    op.drop_table("heartbeats")
    with op.batch_alter_table("captures") as captures:
        captures.add_column(sa.Column("origin", sa.String(16), nullable=False, server_default="slack"))
        captures.add_column(sa.Column("user_email", sa.Text))
        captures.alter_column("user_id", type_=sa.Text, existing_type=sa.String(32), existing_nullable=False)
        captures.alter_column("stop_requested_by", type_=sa.Text, existing_type=sa.String(32))
    op.create_table(
        "heartbeats",
        sa.Column("capture_id", sa.String(16), sa.ForeignKey("captures.id"), primary_key=True),
        sa.Column("worker", sa.String(255), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )


def downgrade() -> None:
    """There is no way back, as with the trail before it."""
    raise NotImplementedError("a database is brought forward only")
