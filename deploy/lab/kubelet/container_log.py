"""A container's log on the node's disk, in the format of Kubernetes' container runtime interface.

2026-11-23T08:44:10.123456789Z stdout F the line
2026-11-23T08:44:10.123456789Z stdout P the beginning of a very long li
"""

import asyncio
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

from deploy.lab.kubelet import pipes

_LONGEST = 16 * 1024
_ROTATE_BYTES = 10 * 2**20
_SECOND = 10**9


@dataclass(frozen=True)
class LogQuery:
    """What of a log is wanted; the names are the API's.

    Attributes:
        since: Only lines written at or after this time, nanoseconds since the epoch.
    """

    follow: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    since: int = 0
    limit_bytes: int | None = None


class ContainerLog:
    """The log of one run of a container. Two files at most: a full one is kept until the next is full."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._full = path.with_suffix(".full")
        self._news = asyncio.Event()
        self._open_streams = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    async def collect(self, stream: str, pipe: FileIO) -> None:
        """Writes what comes out of a pipe into the log, until its end; then closes the pipe."""
        self._open_streams += 1
        try:
            with pipe:
                await self._collect(stream, pipe)
        finally:  # Also when it is cancelled: a follower would wait for more otherwise.
            self._open_streams -= 1
            self._tell()

    async def read(self, query: LogQuery) -> AsyncIterator[bytes]:
        """The log's lines as the API gives them; with `follow` until the container has ended."""
        left = query.limit_bytes if query.limit_bytes is not None else -1
        async for line in self._lines(query):
            text = _render(line, with_time=query.timestamps)
            if 0 <= left <= len(text):
                yield text[:left]
                return
            left -= len(text) if left >= 0 else 0
            yield text

    async def _lines(self, query: LogQuery) -> AsyncIterator[bytes]:
        file = self._path.open("rb")
        try:
            for line in self._tail(query, file.readlines()):
                yield line
            while query.follow:
                news = self._news
                if line := file.readline():
                    yield line
                elif self._path.stat().st_ino != os.fstat(file.fileno()).st_ino:  # a new file was begun
                    file.close()
                    file = self._path.open("rb")
                elif not self._open_streams:
                    return
                else:
                    await news.wait()
        finally:
            file.close()

    def _tail(self, query: LogQuery, newest: list[bytes]) -> Iterator[bytes]:
        older = self._full.read_bytes().splitlines(keepends=True) if self._full.exists() else []
        lines = (line for line in [*older, *newest] if written_at(line) >= query.since)
        yield from lines if query.tail_lines is None else _last(lines, query.tail_lines)

    async def _collect(self, stream: str, pipe: FileIO) -> None:
        rest = b""
        while data := await pipes.read(pipe):
            *lines, rest = (rest + data).split(b"\n")
            self._append(stream, [(line, "F") for line in lines])
            while len(rest) >= _LONGEST:
                self._append(stream, [(rest[:_LONGEST], "P")])
                rest = rest[_LONGEST:]
        if rest:
            self._append(stream, [(rest, "F")])

    def _append(self, stream: str, lines: list[tuple[bytes, str]]) -> None:
        if not lines:
            return
        prefix = f"{_now()} {stream} ".encode()
        text = b"".join(prefix + tag.encode() + b" " + line + b"\n" for line, tag in lines)
        if self._path.stat().st_size + len(text) > _ROTATE_BYTES:
            self._path.rename(self._full)
        with self._path.open("ab") as file:
            file.write(text)
        self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


def written_at(line: bytes) -> int:
    """When a line was written, in nanoseconds since the epoch."""
    stamp = line.split(b" ", 1)[0].decode()
    whole, _, fraction = stamp.removesuffix("Z").partition(".")
    seconds = datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp()
    return int(seconds) * _SECOND + int(fraction)


def _render(line: bytes, *, with_time: bool) -> bytes:
    stamp, _, tag, text = line.split(b" ", 3)
    text = text if tag == b"F" else text.removesuffix(b"\n")
    return stamp + b" " + text if with_time else text


def _now() -> str:
    now = time.time_ns()
    return f"{datetime.fromtimestamp(now // _SECOND, UTC):%Y-%m-%dT%H:%M:%S}.{now % _SECOND:09}Z"


def _last(lines: Iterator[bytes], count: int) -> Iterator[bytes]:
    return iter(deque(lines, maxlen=count))
