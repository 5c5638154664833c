"""What podcap's role may do on PostgreSQL: everything it needs, and nothing that could alter the trail.

Rights bind a role only while it does not own what they are about: an owner grants itself what it wants,
disables triggers and drops tables. So the tables belong to another role, whose password the processes need
not have, and after granting PostgreSQL itself is asked whether the trail is safe from podcap's role.
"""

from sqlalchemy import Connection, text

from workers.ledger.revisions import VERSIONS
from workers.ledger.schema import metadata

APPEND_ONLY = frozenset({"trail"})
"""Tables whose rows podcap writes once and never touches again."""

_EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"


def grant(connection: Connection, role: str) -> None:
    """Gives a role exactly what podcap needs in the connection's schema, whatever it had there before.

    No table takes its numbers from a sequence, which would have rights of its own.

    Raises:
        ProgrammingError: The connection's role does not own the tables.
    """
    quoted = connection.dialect.identifier_preparer.quote_identifier
    grantee = quoted(role)
    schema = quoted(str(connection.scalar(text("SELECT current_schema()"))))
    rights = dict.fromkeys(metadata.tables, _EVERYTHING) | dict.fromkeys(APPEND_ONLY, "SELECT, INSERT")
    _run(connection, f"GRANT USAGE ON SCHEMA {schema} TO {grantee}")
    for table, allowed in (rights | {VERSIONS: "SELECT"}).items():
        _run(connection, f"REVOKE ALL ON {quoted(table)} FROM {grantee}, PUBLIC")
        _run(connection, f"GRANT {allowed} ON {quoted(table)} TO {grantee}")


def unprotected(connection: Connection, role: str) -> str | None:
    """Why a role could alter an append-only table in spite of `grant`; None when it cannot.

    A member of the table's owner, of its schema's or of the database's may do what these may: disable a
    trigger, drop the table. A superuser is a member of every role (PostgreSQL's manual, 22.3, 22.4). Before
    PostgreSQL 16 a role with CREATEROLE may make itself a member of any that is no superuser, and whoever may
    become a role has its attributes (CREATE ROLE, notes).
    """
    owners = text(
        "SELECT pg_has_role(:role, relowner, 'MEMBER') AS table,"
        " pg_has_role(:role, nspowner, 'MEMBER') AS schema,"
        " pg_has_role(:role, datdba, 'MEMBER') AS database,"
        " (SELECT min(rolname) FROM pg_roles"
        " WHERE rolcreaterole AND pg_has_role(:role, oid, 'MEMBER')) AS makes_roles,"
        " has_table_privilege(:role, c.oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER')"
        " OR has_any_column_privilege(:role, c.oid, 'UPDATE') AS otherwise"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        " JOIN pg_database ON datname = current_database()"
        " WHERE relname = :table AND n.oid = current_schema()::regnamespace"
    )
    for table in sorted(APPEND_ONLY):
        found = connection.execute(owners, {"role": role, "table": table}).mappings().one()
        for what in ("table", "schema", "database"):
            if found[what]:
                return (
                    f"role {role} is a superuser, or it is or belongs to the owner of the trail's {what}, "
                    "so that it could alter the trail: give podcap a role of its own."
                )
        if found["makes_roles"] is not None:
            return (
                f"role {role} may make roles (CREATEROLE of {found['makes_roles']}), and so itself a member "
                "of the trail's owner: take that away."
            )
        if found["otherwise"]:
            return f"role {role} may change table {table} by a role it is a member of: leave that role."
    return None


def _run(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)
