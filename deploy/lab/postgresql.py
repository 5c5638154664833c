"""A PostgreSQL server of one's own on loopback: Debian's package, a new cluster in a folder of its own."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import psycopg

from deploy.lab.redis import free_port

SUPERUSER = "postgres"
_USER = "postgres"
_WAIT_SECONDS = 60


class PostgreSQLServer:
    """A server with a superuser and no other role; a context manager that ends it and removes its data.

    PostgreSQL refuses to run as root, so root runs it as Debian's user `postgres`. That user cannot look
    into root's folders, so the data is kept in a new folder beside them, in the system's folder for
    temporary files. Everybody needs a password, and nothing is kept safe from a power cut: that is faster.
    What was committed outlives the server all the same, when it is killed.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.folder: Path | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self._password = secrets.token_hex(16)

    def url(self, database: str = "postgres", role: str = SUPERUSER, password: str | None = None) -> str:
        """The URL of a database, for podcap's settings; the superuser's without a role."""
        secret = self._password if password is None else password
        return f"postgresql://{quote(role)}:{quote(secret, safe='')}@127.0.0.1:{self.port}/{quote(database)}"

    def start(self) -> Self:
        """Makes a cluster when there is none yet, starts the server and waits until it answers.

        Raises:
            RuntimeError: The programs are missing, or the server does not answer within a minute.
        """
        if self.folder is None:
            self.folder = self._new_cluster()
        with (self.folder / "postgresql.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(_program("postgres"), "-D", self.folder / "data", "-p", str(self.port)),
                    *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="),
                    *("-c", "fsync=off", "-c", "full_page_writes=off"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **_unprivileged(),
            )
        deadline = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.run("SELECT 1")
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return self
        log_text = (self.folder / "postgresql.log").read_text(errors="replace")
        self.end()
        raise RuntimeError(f"PostgreSQL does not answer; its log says:\n{log_text}")

    def run(self, *statements: str, database: str = "postgres") -> None:
        """Runs statements as the superuser, each in a transaction of its own."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def psql(self, script: str) -> None:
        """Runs a script for psql as the superuser; it ends at the first error.

        Raises:
            RuntimeError: A statement failed; the message is psql's.
        """
        done = subprocess.run(
            ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", self.url()],
            input=script,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"psql: {done.stderr}")

    def stop(self) -> None:
        """Ends the server and its connections; its data is there for the next start."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)  # "fast": it does not wait for its clients
            self.process.wait()
            self.process = None

    def kill(self) -> None:
        """Kills the server without a word; its data is there for the next start."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def end(self) -> None:
        """Ends the server and removes its data."""
        self.stop()
        if self.folder is not None:
            shutil.rmtree(self.folder)
            self.folder = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def _new_cluster(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="podcap-postgresql-"))
        password = folder / "password"
        password.write_text(self._password)
        if os.geteuid() == 0:
            for path in (folder, password):
                shutil.chown(path, _USER, _USER)
        done = subprocess.run(
            [
                *(_program("initdb"), "--pgdata", folder / "data", "--no-sync", "--no-instructions"),
                *("--encoding=UTF8", "--locale=C", "--auth=scram-sha-256"),
                *("--username", SUPERUSER, "--pwfile", password),
            ],
            capture_output=True,
            text=True,
            check=False,
            **_unprivileged(),
        )
        password.unlink()
        if done.returncode != 0:
            shutil.rmtree(folder)
            raise RuntimeError(f"initdb: {done.stderr}")
        return folder


def _unprivileged() -> dict[str, Any]:
    """How a program of PostgreSQL's is started: not as root, in a folder that its user may enter."""
    if os.geteuid() != 0:
        return {"cwd": "/"}
    user = pwd.getpwnam(_USER)
    return {"cwd": "/", "user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _program(name: str) -> str:
    """Where a program of the server is: Debian keeps each version in a folder outside of PATH."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3])
    )
    found = str(installed[-1]) if installed else shutil.which(name)
    if found is None:
        raise RuntimeError(f"PostgreSQL's {name} is missing: run deploy/system-packages")
    return found
