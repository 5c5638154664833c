"""What was asked for in whole, and a row for each tap of a capture."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds column and table; a capture that was admitted and has not ended has the tap of its pod."""
    op.add_column("captures", sa.Column("targets", sa.Text))
    op.create_table(
        "taps",
        sa.Column(
            "capture_id",
            sa.String(16),
            sa.ForeignKey("captures.id", ondelete="CASCADE", onupdate="CASCADE"),
            primary_key=True,
        ),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("namespace", sa.String(63), nullable=False),
        sa.Column("pod", sa.String(253), nullable=False),
        sa.Column("pod_uid", sa.String(64)),
        sa.Column("node", sa.String(253)),
        sa.Column("target", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("filter", sa.Text, nullable=False),
        sa.Column("interface", sa.String(64)),
        sa.Column("tap", sa.Text),
        sa.Column("confidence", sa.String(16)),
        sa.Column("addresses", sa.Text, nullable=False),
        sa.Column("began", sa.BigInteger),
        sa.Column("packets", sa.BigInteger),
        sa.Column("bytes", sa.BigInteger),
        sa.Column("dropped", sa.BigInteger),
        sa.Column("ended_by", sa.String(32)),
        sa.Column("spool_sha256", sa.String(64)),
        sa.Column("sentence", sa.Text),
    )
    op.create_index("taps_by_node", "taps", ["node"])
    op.execute(
        """
        INSERT INTO taps (capture_id, number, kind, namespace, pod, pod_uid, node, target, state, filter,
            interface, tap, confidence, addresses, packets, bytes, dropped, ended_by, spool_sha256)
        SELECT id, 0, 'pod', namespace, pod, pod_uid, node, 0,
            CASE WHEN state = 'capturing' THEN 'capturing'
                WHEN state IN ('collecting', 'summarising', 'delivering') THEN 'collected'
                ELSE 'waiting' END,
            '', interface, tap, confidence, '[]', packets, bytes, dropped, ended_by, spool_sha256
        FROM captures
        WHERE state IN ('awaiting approval', 'queued', 'tapping', 'capturing', 'collecting', 'summarising',
            'delivering')
        """
    )


def downgrade() -> None:
    """There is no way back, as with the trail before it."""
    raise NotImplementedError("a database is brought forward only")
