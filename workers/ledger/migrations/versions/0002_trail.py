"""The trail takes the place of the moves, which are carried over as its first entries."""

from datetime import UTC

import sqlalchemy as sa
from alembic import op

from workers.trail.chain import BEFORE_THE_FIRST, entry_hash
from workers.trail.entry import Entry, canonical, timestamp

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SQLITE = (
    """
    CREATE TRIGGER trail_no_update BEFORE UPDATE ON trail
    BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END
    """,
    """
    CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail
    BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END
    """,
    # INSERT OR REPLACE removes a row without asking the trigger above.
    """
    CREATE TRIGGER trail_only_at_its_end BEFORE INSERT ON trail
    WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM trail)
    BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END
    """,
)
_POSTGRESQL = (
    """
    CREATE FUNCTION trail_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the trail is append-only'; END $$
    """,
    """
    CREATE TRIGGER trail_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON trail
    FOR EACH STATEMENT EXECUTE FUNCTION trail_is_append_only()
    """,
)


def upgrade() -> None:
    """Creates the trail, moves the moves into it, and makes it append-only."""
    trail = op.create_table(
        "trail",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("capture_id", sa.String(16), index=True),
        sa.Column("namespace", sa.String(63)),
        sa.Column("pod", sa.String(253)),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("trail_by_pod", "trail", ["namespace", "pod"])
    _carry_over(trail)
    op.drop_table("moves")
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _SQLITE if sqlite else _POSTGRESQL:
        op.execute(statement)


def _carry_over(trail: sa.Table) -> None:
    connection = op.get_bind()
    moves = sa.table(
        "moves",
        *(sa.column(name) for name in ("number", "capture_id", "end", "by")),
        sa.column("at", sa.DateTime),
    )
    captures = sa.table("captures", *(sa.column(name) for name in ("id", "namespace", "pod")))
    query = (
        sa.select(moves, captures.c.namespace, captures.c.pod)
        .join_from(moves, captures, captures.c.id == moves.c.capture_id)
        .order_by(moves.c.number)
    )
    previous = BEFORE_THE_FIRST
    for number, move in enumerate(connection.execute(query).mappings().all(), start=1):
        entry = Entry(
            number,
            timestamp(move["at"].replace(tzinfo=UTC)),
            move["end"],
            move["capture_id"],
            move["namespace"],
            move["pod"],
            move["by"],
            canonical({"carried_over": True}),
            "",
        )
        previous = entry_hash(previous, entry)
        connection.execute(sa.insert(trail).values(entry._replace(hash=previous)._asdict()))


def downgrade() -> None:
    """There is no way back: a trail that can be dropped proves nothing."""
    raise NotImplementedError("the trail is never removed by podcap")
