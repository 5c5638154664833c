"""Alembic's part of bringing a schema forward; imported only when there is something to do."""

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from workers.ledger.revisions import MIGRATIONS


def upgrade(connection: Connection) -> bool:
    """Runs the migrations that are missing, in the connection's transaction.

    Returns:
        Whether this podcap knows the schema's revision; else nothing was done.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError:
        return False
    return True
