"""What is wrong with a database's URL is said in one sentence, and how a session on PostgreSQL is set up."""

import logging
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from deploy.lab.postgresql import PostgreSQLServer
from workers.ledger.engine import open_engine
from workers.ledger.ledger import Ledger
from workers.ledger.migrate import migrate
from workers.settings import Settings, SettingsError

SECRET = "planted-in-the-url"


def sentence(url: str) -> str:
    with pytest.raises(SettingsError) as raised:
        migrate(open_engine(url))
    return str(raised.value)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (f"nonsense {SECRET}", "it is no URL of a database"),
        (f"postgresql//podcap:{SECRET}@db/podcap", "it is no URL of a database"),
        (f"postgresql://podcap:{SECRET}@db:port/podcap", "it is no URL of a database"),
        (f"mysql://podcap:{SECRET}@db/podcap", "SQLite or PostgreSQL, not in mysql"),
        (f"postgresql+none://podcap:{SECRET}@db/podcap", "no driver called postgresql+none"),
        (f"postgresql://podcap:an@{SECRET}@db/podcap", "%40"),
        (f"postgresql://podcap:{SECRET}@db.invalid/podcap", "the host db.invalid is not known here"),
        (f"postgresql://podcap:{SECRET}@127.0.0.1:1/podcap", "127.0.0.1:1 cannot be used as role podcap"),
        (f"postgresql://podcap:{SECRET}@127.0.0.1:1/podcap?colour=red", 'connection option "colour"'),
        ("sqlite:////proc/podcap.db", "set it to a file that you may write"),
        ("sqlite:////dev/null/var/podcap.db", "(Not a directory): set it to a file that you may write"),
    ],
)
def test_a_url_that_leads_nowhere_is_one_sentence_without_its_password(url: str, says: str) -> None:
    said = sentence(url)
    assert said.startswith("PODCAP_DATABASE_URL: ")
    assert says in said
    assert SECRET not in said
    assert "\n" not in said


def test_a_wrong_password_a_role_and_a_database_that_are_not_there_are_told_apart(
    postgresql: PostgreSQLServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    password = urlsplit(postgresql.url()).password
    assert password
    said = {
        "no role postgres with this password": sentence(postgresql.url(password=SECRET)),
        "no role nobody with this password": sentence(postgresql.url(role="nobody", password=SECRET)),
        "has no database nowhere": sentence(postgresql.url("nowhere")),
    }
    for words, whole in said.items():
        assert words in whole
        assert "docs/database.md" in whole
    everything = f"{said} {caplog.text}"
    assert SECRET not in everything
    assert password not in everything


def test_a_password_of_any_characters_lets_podcap_in(postgresql: PostgreSQLServer) -> None:
    password = "a@b:c/d?e#f%g &'ü"
    postgresql.run("CREATE ROLE strange LOGIN PASSWORD 'a@b:c/d?e#f%g &''ü'")
    engine = open_engine(postgresql.url("postgres", "strange", password))
    Ledger(engine).ping()
    engine.dispose()


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_both_names_of_postgresql_lead_to_psycopg(postgresql: PostgreSQLServer, scheme: str) -> None:
    engine = open_engine(postgresql.url().replace("postgresql", scheme, 1))
    Ledger(engine).ping()
    assert engine.dialect.driver == "psycopg"
    engine.dispose()


def test_printed_settings_do_not_show_the_databases_passwords() -> None:
    url = f"postgresql://podcap:{SECRET}@db/podcap"
    assert SECRET not in repr(Settings(database_url=url, database_owner_url=url))


def test_transactions_are_read_committed_whatever_the_database_prefers(postgresql: PostgreSQLServer) -> None:
    postgresql.run(
        "CREATE DATABASE strict", "ALTER DATABASE strict SET default_transaction_isolation = 'serializable'"
    )
    engine = open_engine(postgresql.url("strict"))
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW transaction_isolation")) == "read committed"
    engine.dispose()


def test_a_session_cannot_hold_up_the_others_for_ever_and_a_reader_may_take_its_time(
    shared_engine: Engine,
) -> None:
    def limits(engine: Engine) -> list[object]:
        with engine.connect() as connection:
            return [
                connection.scalar(text(f"SHOW {name}"))
                for name in (
                    "statement_timeout",
                    "lock_timeout",
                    "idle_in_transaction_session_timeout",
                    "transaction_read_only",
                )
            ]

    reading = shared_engine.execution_options(reading=True)
    assert limits(shared_engine) == ["30s", "10s", "1min", "off"]
    assert limits(reading) == ["30s", "10s", "0", "on"]
    assert limits(shared_engine) == ["30s", "10s", "1min", "off"]


def test_a_reader_cannot_write(shared_engine: Engine) -> None:
    reading = shared_engine.execution_options(reading=True)
    with pytest.raises(DBAPIError, match="read-only transaction"), reading.connect() as connection:
        connection.execute(text("DELETE FROM heartbeats"))


def test_what_the_url_says_of_connecting_goes_before_podcaps_own(postgresql: PostgreSQLServer) -> None:
    engine = open_engine(f"{postgresql.url()}?application_name=mine&connect_timeout=9")
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW application_name")) == "mine"
    engine.dispose()


def test_a_restarted_server_is_used_again_without_an_error() -> None:
    with PostgreSQLServer() as server:
        engine = open_engine(server.url())
        Ledger(engine).ping()
        server.stop()
        with pytest.raises(DBAPIError):
            Ledger(engine).ping()
        server.start()
        Ledger(engine).ping()
        server.stop()
        server.start()
        Ledger(engine).ping()
        engine.dispose()
