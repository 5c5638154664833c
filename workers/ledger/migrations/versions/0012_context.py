"""The Slack file with what was around a capture's pods."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column."""
    op.add_column("captures", sa.Column("context_id", sa.String(32)))


def downgrade() -> None:
    """There is no way back, as with the trail before it."""
    raise NotImplementedError("a database is brought forward only")
