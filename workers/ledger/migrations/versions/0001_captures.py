"""Captures, their moves and their heartbeats."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the first three tables."""
    op.create_table(
        "captures",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("idempotency_key", sa.String(255), nullable=False, unique=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("cluster", sa.String(63), nullable=False),
        sa.Column("namespace", sa.String(63), nullable=False),
        sa.Column("pod", sa.String(253), nullable=False),
        sa.Column("seconds", sa.Integer, nullable=False),
        sa.Column("filter", sa.Text, nullable=False),
        sa.Column("full", sa.Boolean, nullable=False),
        sa.Column("team_id", sa.String(32), nullable=False),
        sa.Column("channel_id", sa.String(32), nullable=False),
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.Column("user_name", sa.String(255), nullable=False),
        sa.Column("response_url", sa.Text),
        sa.Column("message_ts", sa.String(32)),
        sa.Column("shown", sa.String(16)),
        sa.Column("file_id", sa.String(32)),
        sa.Column("requested_at", sa.DateTime, nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False),
        sa.Column("published_at", sa.DateTime),
        sa.Column("started_at", sa.DateTime),
        sa.Column("ended_at", sa.DateTime),
        sa.Column("stop_requested_by", sa.String(32)),
        sa.Column("pod_uid", sa.String(64)),
        sa.Column("node", sa.String(253)),
        sa.Column("interface", sa.String(64)),
        sa.Column("tap", sa.Text),
        sa.Column("confidence", sa.String(16)),
        sa.Column("packets", sa.BigInteger),
        sa.Column("bytes", sa.BigInteger),
        sa.Column("dropped", sa.BigInteger),
        sa.Column("ended_by", sa.String(32)),
        sa.Column("spool_sha256", sa.String(64)),
        sa.Column("file_sha256", sa.String(64)),
        sa.Column("file_url", sa.Text),
        sa.Column("sentence", sa.Text),
    )
    op.create_index("captures_by_state", "captures", ["state"])
    op.create_table(
        "moves",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("capture_id", sa.String(16), sa.ForeignKey("captures.id"), nullable=False, index=True),
        sa.Column("start", sa.String(16)),
        sa.Column("end", sa.String(16), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("by", sa.String(255), nullable=False),
    )
    op.create_table(
        "heartbeats",
        sa.Column("capture_id", sa.String(16), sa.ForeignKey("captures.id"), primary_key=True),
        sa.Column("worker", sa.String(255), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )


def downgrade() -> None:
    """Removes them."""
    for table in ("heartbeats", "moves", "captures"):
        op.drop_table(table)
