"""PostgreSQL takes an entry of the trail only behind the last one, as SQLite does since 0002."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Without it podcap's own role could insert the greatest number there is, behind which no entry fits. The
# table is named by its oid: a session can put a temporary one of the same name before it.
_POSTGRESQL = (
    """
    CREATE FUNCTION trail_only_at_its_end() RETURNS trigger LANGUAGE plpgsql AS
    $$
    DECLARE last bigint;
    BEGIN
        EXECUTE 'SELECT max(number) FROM ' || CAST(TG_RELID AS regclass) INTO last;
        IF NEW.number IS DISTINCT FROM coalesce(last, 0) + 1 THEN
            RAISE EXCEPTION 'the trail is append-only';
        END IF;
        RETURN NEW;
    END
    $$
    """,
    """
    CREATE TRIGGER trail_only_at_its_end BEFORE INSERT ON trail
    FOR EACH ROW EXECUTE FUNCTION trail_only_at_its_end()
    """,
)


def upgrade() -> None:
    """Adds a trigger."""
    if op.get_bind().dialect.name == "postgresql":
        for statement in _POSTGRESQL:
            op.execute(statement)


def downgrade() -> None:
    """There is no way back, as with the trail before it."""
    raise NotImplementedError("a database is brought forward only")
