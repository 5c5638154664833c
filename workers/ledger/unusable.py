"""Why a database cannot be used, as one sentence for the person who set it up."""

import re

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

NOT_ALLOWED = frozenset({"42501", "3F000"})
"""SQLSTATEs of a role that lacks a right: insufficient_privilege, and invalid_schema_name, when it may not
look into the schema at all (PostgreSQL's manual, appendix A)."""

_LOCK_NOT_AVAILABLE = "55P03"


def why_unusable(error: SQLAlchemyError, url: URL) -> str:
    """One sentence that says what is wrong and what to do; neither the password nor a statement is in it.

    libpq gives no SQLSTATE when connecting fails, so a server's refusal is known by its English words, and
    any other is passed on as it is (psycopg issue 1188).
    """
    said = _last_words(error)
    place = f"{url.host or 'the local socket'}:{url.port or 5432}"
    if url.get_backend_name() == "sqlite":
        return f"the database {url.database} cannot be used ({said})."
    if "password authentication failed" in said or "no password supplied" in said:
        return (
            f"PostgreSQL at {place} has no role {url.username} with this password: "
            "correct the URL, or set the role up as docs/database.md shows."
        )
    if re.search(r'database ".*" does not exist', said):
        return f"PostgreSQL at {place} has no database {url.database}: create it as docs/database.md shows."
    if "resolve host" in said or "translate host name" in said:
        return f"the host {url.host} is not known here: correct the URL or the name service."
    if sqlstate(error) == _LOCK_NOT_AVAILABLE:
        return "another session holds a lock that the migration needs: end it, or try again later."
    return f"PostgreSQL at {place} cannot be used as role {url.username} ({said})."


def sqlstate(error: SQLAlchemyError) -> str | None:
    """PostgreSQL's five characters for what went wrong; None when the server has not said any."""
    return getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None


def _last_words(error: SQLAlchemyError) -> str:
    # Only the driver's own words: SQLAlchemy's add the statement and its values.
    said = str(error.orig if isinstance(error, DBAPIError) else error).strip()
    first = said.splitlines()[0] if said else type(error).__name__
    return first.rpartition("FATAL:")[2].strip().rstrip(".")
