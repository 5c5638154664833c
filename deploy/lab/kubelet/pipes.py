"""Reading and writing pipes and terminals without blocking the event loop, and without a buffer of one's own.

What is not read stays in the pipe: a process that writes faster than its reader waits, as in a real cluster.
Whoever closes a file makes sure first that nobody waits for it any more.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from io import FileIO

CHUNK = 32 * 1024
"""The most bytes a kubelet reads, and puts into one frame, at once."""


def pair() -> tuple[FileIO, FileIO]:
    """A pipe: the end to read from and the end to write to. A child has them only if it is given them."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    return FileIO(reading, "r"), FileIO(writing, "w")


async def read(file: FileIO, size: int = CHUNK) -> bytes:
    """Some bytes, at most `size`; none at the end. A terminal without its other side is at its end, too."""
    os.set_blocking(file.fileno(), False)
    while True:
        try:
            data = file.read(size)
        except OSError:
            return b""
        if data is not None:
            return data
        loop = asyncio.get_running_loop()
        await _ready(file.fileno(), loop.add_reader, loop.remove_reader)


async def read_all(file: FileIO) -> bytes:
    """Everything until the end."""
    parts = []
    while part := await read(file):
        parts.append(part)
    return b"".join(parts)


async def write(file: FileIO, data: bytes) -> None:
    """Writes all of it, or what the reader takes before it goes away."""
    os.set_blocking(file.fileno(), False)
    rest = memoryview(data)
    with contextlib.suppress(OSError):
        while rest:
            written = file.write(rest)
            if written is None:
                loop = asyncio.get_running_loop()
                await _ready(file.fileno(), loop.add_writer, loop.remove_writer)
            else:
                rest = rest[written:]


async def _ready(descriptor: int, add: Callable[..., None], remove: Callable[[int], bool]) -> None:
    # A file that is closed while somebody waits for it stays registered by its number. The event loop would
    # never tell whoever waits for the next file of that number: better a fault than a wait without end.
    if remove(descriptor):
        raise RuntimeError(f"descriptor {descriptor} is waited for twice, or was closed while waited for")
    ready = asyncio.get_running_loop().create_future()

    def tell() -> None:
        if not ready.done():
            ready.set_result(None)

    add(descriptor, tell)
    try:
        await ready
    finally:
        remove(descriptor)
