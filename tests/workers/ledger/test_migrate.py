import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect

from workers.ledger.engine import open_engine
from workers.ledger.schema import metadata


def test_the_migrations_build_exactly_the_schema(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_processes_that_start_together_on_an_empty_database_migrate_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/ledger.db"
    code = (
        "import sys;"
        "from workers.ledger.engine import open_engine;"
        "from workers.ledger.migrate import migrate;"
        "migrate(open_engine(sys.argv[1]))"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, url]) for _ in range(4)]
    assert [process.wait() for process in processes] == [0, 0, 0, 0]
    engine = open_engine(url)
    assert {"captures", "trail", "heartbeats", "alembic_version"} == set(inspect(engine).get_table_names())
    engine.dispose()
