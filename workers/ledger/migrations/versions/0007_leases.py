"""A capture has a lease with a token, and may await approval; when its file was stored is known."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ACTIVE = "('tapping', 'capturing', 'collecting', 'summarising', 'delivering')"


def upgrade() -> None:
    """Changes the captures; heartbeats begin anew, because SQLite replaces a table that is altered.

    A capture that is under way belongs to a worker of before, which beats its heart no more where it is
    looked for: it is taken over.
    """
    op.drop_table("heartbeats")
    with op.batch_alter_table("captures") as captures:
        captures.add_column(sa.Column("worker", sa.String(255)))
        captures.add_column(sa.Column("token", sa.Integer, nullable=False, server_default="0"))
        captures.add_column(sa.Column("stored_at", sa.DateTime))
        # "awaiting approval" has 17 letters
        captures.alter_column(
            "state", type_=sa.String(32), existing_type=sa.String(16), existing_nullable=False
        )
        captures.alter_column("shown", type_=sa.String(32), existing_type=sa.String(16))
    op.execute(f"UPDATE captures SET worker = 'a worker of before' WHERE state IN {_ACTIVE}")  # noqa: S608, our own names
    op.create_table(
        "heartbeats",
        sa.Column("capture_id", sa.String(16), sa.ForeignKey("captures.id"), primary_key=True),
        sa.Column("worker", sa.String(255), nullable=False),
        sa.Column("token", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )


def downgrade() -> None:
    """There is no way back, as with the trail before it."""
    raise NotImplementedError("a database is brought forward only")
