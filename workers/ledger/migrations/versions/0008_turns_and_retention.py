"""Whose turn it is, what the store holds, and who approved."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds columns, their indexes and a table. What waits joins the line in the next round of turns."""
    for name, kind in (
        ("turn_at", sa.DateTime),
        ("round", sa.Integer),
        ("lap", sa.Integer),
        ("place", sa.Integer),
        ("waits_for", sa.Text),
        ("file_bytes", sa.BigInteger),
        ("approved_by", sa.Text),
    ):
        op.add_column("captures", sa.Column(name, kind))
    op.create_index("captures_by_round", "captures", ["round"])
    op.create_index("captures_by_lap", "captures", ["channel_id", "lap"])
    op.create_index("captures_by_end", "captures", ["ended_at"])
    op.create_table(
        "stores",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("free_bytes", sa.BigInteger),
        sa.Column("swept_at", sa.DateTime),
    )


def downgrade() -> None:
    """There is no way back, as with the trail before it."""
    raise NotImplementedError("a database is brought forward only")
