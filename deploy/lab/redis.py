"""A Redis server of one's own on loopback, with everything in one folder."""

import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import redis


class RedisServer:
    """Debian's redis-server; a context manager that ends it.

    Args:
        folder: Its working directory; made when missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL to give podcap as PODCAP_BROKER_URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> Self:
        """Starts the server and waits until it answers.

        Raises:
            RuntimeError: It does not answer within 10 s.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *("redis-server", "--port", str(self.port), "--bind", "127.0.0.1"),
                    *("--dir", str(self.folder), "--save", "", "--appendonly", "yes"),
                    *("--maxmemory-policy", "noeviction"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        client = redis.Redis(port=self.port)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                client.ping()
            except redis.ConnectionError:
                time.sleep(0.05)
            else:
                client.close()
                return self
        self.stop()
        raise RuntimeError(f"redis-server does not answer; see {self.folder / 'redis.log'}")

    def stop(self) -> None:
        """Ends the server; what it held is in its folder for the next start."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def kill(self) -> None:
        """Kills the server without a word; what it had written is in its folder for the next start."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def free_port() -> int:
    """A TCP port on loopback that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
