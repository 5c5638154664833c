"""Summarising a capture file, in a child process: `workers.summary.child`, started by `limited`."""

import json
import logging
import time
from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import BinaryIO

from workers.summary.limited import Failure, run_limited
from workers.summary.summary import Summary

log = logging.getLogger(__name__)

MEMORY = 1 << 30
"""Bytes of address space: tshark needs 400 MB of it to read anything."""

SECONDS = 360
"""A third of it to read: files of gigabytes."""

_WITH_ROOM = 0.4
"""So much of what took all memory to read takes less than all, with what is made of it: twice as much."""

_ERROR = b'{"error":'
_PRINTABLE = bytes(range(32, 127))


class SummaryError(Exception):
    """There is no summary of this file; the message is one sentence."""


def summarise(
    path: Path,
    *,
    seconds: int = SECONDS,
    memory: int = MEMORY,
    payload: bool,
    names: Path | None = None,
    digest: bool = False,
) -> Summary:
    """The summary of a capture file.

    Args:
        path: The file.
        seconds: Of time, CPU and wall, after which the child is ended. At a third of it reading stops.
        memory: Bytes of address space each process may have.
        payload: Whether packets are whole, so that HTTP, DNS and TLS can be read.
        names: A file with a `Context` as JSON.
        digest: Whether `Summary.digest` is enough.

    Returns:
        What could not be read of a file that is damaged, or too big for the time, is said in `notes`.

    Raises:
        SummaryError: Nothing could be read.
        OSError: The file cannot be opened.
    """
    value = json.loads(
        summary_json(path, seconds=seconds, memory=memory, payload=payload, names=names, digest=digest)
    )
    return Summary.from_json(value)


def summary_json(
    path: Path,
    *,
    seconds: int = SECONDS,
    memory: int = MEMORY,
    payload: bool,
    names: Path | None = None,
    digest: bool = False,
    passing: Callable[[int], None] = lambda _: None,
) -> bytes:
    """The same as JSON, which a big file has tens of megabytes of: printable ASCII, one line.

    `passing` is called now and then with how many bytes of the file have been read.
    """
    arguments = ["--payload"] if payload else []
    arguments += ["--digest"] if digest else []
    arguments += ["--names", str(names.absolute())] if names else []
    ends = time.monotonic() + seconds

    def run(source: BinaryIO, *more: str) -> tuple[bytes, Failure | None]:
        left = max(1, ceil(ends - time.monotonic()))
        return run_limited(
            "workers.summary.child",
            [*arguments, *more],
            source,
            seconds=left,
            memory=memory,
            passing=passing,
        )

    # Unbuffered: the child moves this very file's offset.
    with path.open("rb", buffering=0) as source:
        output, failure = run(source)
        if failure and (failure.memory or failure.fell) and source.seekable():
            most = int(source.tell() * _WITH_ROOM)
            if failure.fell:
                log.warning("%s: a part of the file is read instead", failure)
            source.seek(0)
            output, failure = run(source, "--most", str(most), *(["--fell"] if failure.fell else []))
    line, ended, _ = output.partition(b"\n")
    if not ended:
        raise SummaryError(f"The capture could not be summarised: {failure or 'nothing was said'}.")
    if line.startswith(_ERROR):
        raise SummaryError(json.loads(line)["error"])
    # The child read hostile packets: what it says goes to terminals.
    if line.translate(None, _PRINTABLE) or not line.startswith(b"{"):
        raise SummaryError("The capture could not be summarised: the answer was not understood.")
    return line
