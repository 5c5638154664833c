"""Brings the ledger's database to the newest schema: `python -m workers.ledger`.

For an installation in which only this command knows the password of the tables' owner.
"""

import sys

from workers.ledger.engine import open_engine
from workers.ledger.migrate import migrate
from workers.settings import SettingsError, load


def main() -> int:
    """0 when the schema is the newest, 1 when it cannot be brought there."""
    try:
        settings = load()
        engine = open_engine(settings.database_url)
        try:
            migrate(engine, settings.database_owner_url)
        finally:
            engine.dispose()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
