"""A thread's closing message with the trail's head, and how far the trail is mirrored."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds a column and a table."""
    op.add_column("captures", sa.Column("closing_ts", sa.String(32)))
    op.create_table(
        "mirrors",
        sa.Column("channel", sa.String(255), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """There is no way back, as with the trail before it."""
    raise NotImplementedError("a database is brought forward only")
