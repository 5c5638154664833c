"""The lab's PostgreSQL server."""

from pathlib import Path

import pytest

from deploy.lab.postgresql import PostgreSQLServer


def test_a_server_leaves_nothing_behind_and_forgets_nothing_before() -> None:
    server = PostgreSQLServer().start()
    assert server.folder is not None
    folder: Path = server.folder
    server.run("CREATE DATABASE kept")
    server.stop()
    server.start()
    server.run("SELECT 1", database="kept")
    process = server.process
    server.end()
    assert process is not None
    assert process.poll() == 0
    assert not folder.exists()


def test_a_script_that_fails_says_why() -> None:
    with PostgreSQLServer() as server, pytest.raises(RuntimeError, match='role "nobody" does not exist'):
        server.psql("SELECT 1;\nDROP ROLE nobody;\nCREATE DATABASE too_late;")


def test_the_lab_says_why_a_server_cannot_start() -> None:
    taken = PostgreSQLServer()
    with PostgreSQLServer() as server:
        taken.port = server.port
        with pytest.raises(RuntimeError, match="Address already in use"):
            taken.start()
    assert taken.folder is None
