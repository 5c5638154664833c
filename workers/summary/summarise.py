"""Summarising a capture file in a child process: packets are hostile input, and a worker must outlive them.

The child (`workers.summary.child`) gets the file as its standard input, so that it needs no right to open it,
an empty folder to stand in, and nothing of this process's environment. All it started ends with this call.
"""

import json
import logging
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from workers.summary.summary import Summary, exchange_from_json

log = logging.getLogger(__name__)

MEMORY = 1 << 30
"""Bytes of address space: tshark needs 400 MB of it to read anything."""

_MOST_OUTPUT = 256 << 20
_MOST_COMPLAINTS = 4096
_READ = 1 << 16
_GRACE = 5


class SummaryError(Exception):
    """There is no summary of this file; the message is one sentence."""


def summarise(path: Path, *, seconds: int = 120, memory: int = MEMORY, payload: bool) -> Summary:
    """The summary of a pcap file.

    Args:
        path: The file.
        seconds: Of time, CPU and wall, after which the child is ended.
        memory: Bytes of address space each process may have.
        payload: Whether packets are whole, so that HTTP, DNS and TLS can be decoded.

    Returns:
        Flows at least. What was missed of HTTP, DNS and TLS, because decoding failed or took too long, and
        what could not be read of a damaged file is said in `notes`.

    Raises:
        SummaryError: Not even flows could be counted.
        OSError: The file cannot be opened.
    """
    arguments = ["--seconds", str(seconds), "--memory", str(memory), *(["--payload"] if payload else [])]
    folder = Path(tempfile.mkdtemp(prefix="podcap-summary-"))
    try:
        folder.chmod(0o555)
        with path.open("rb") as source, _start(source, folder, arguments) as child:
            try:
                output, late = _read(child, time.monotonic() + seconds + _GRACE)
            finally:
                # Before its exit status is fetched: until then the id of its group is nobody else's.
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
            status = child.wait()
    finally:
        folder.rmdir()
    return _summary(output.split(b"\n"), _failure(status, late=late, seconds=seconds), payload=payload)


def _start(source: IO[bytes], folder: Path, arguments: list[str]) -> subprocess.Popen[bytes]:
    tshark = shutil.which("tshark")
    return subprocess.Popen(  # noqa: S603, this interpreter and a module of our own
        # Isolated: neither the folder it stands in nor the environment says what it imports.
        [sys.executable, "-I", "-m", "workers.summary.child", *arguments],
        stdin=source,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        # tshark reads preferences in HOME, and 4.0 crashes where it may not look: there, there is nothing.
        env={
            "PATH": str(Path(tshark).parent) if tshark else os.defpath,
            "HOME": "/nonexistent",
            "LANG": "C.UTF-8",
        },
        start_new_session=True,
    )


def _read(child: subprocess.Popen[bytes], deadline: float) -> tuple[bytes, bool]:
    """What the child wrote until it closed its output, and whether it did not in time (or wrote on)."""
    output, complaints = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        for stream, kept in ((child.stdout, output), (child.stderr, complaints)):
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, kept)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready or len(output) > _MOST_OUTPUT:
                return bytes(output), True
            for key, _ in ready:
                data = os.read(key.fd, _READ)
                if not data:
                    selector.unregister(key.fileobj)
                elif key.data is output:
                    output += data
                else:
                    complaints += data[: _MOST_COMPLAINTS - len(complaints)]
    if complaints:
        log.warning("the summary's child complained: %r", bytes(complaints).decode(errors="replace"))
    return bytes(output), False


def _failure(status: int, *, late: bool, seconds: int) -> str | None:
    """Why the child did not end by itself and well, as the end of a sentence; None when it did."""
    if late or status in (-signal.SIGXCPU, -signal.SIGALRM):
        return f"reading the packets took longer than {seconds} s"
    if status < 0:
        return f"the process that reads the packets was ended by signal {-status}"
    return None if status == 0 else "the process that reads the packets failed"


def _summary(lines: list[bytes], failure: str | None, *, payload: bool) -> Summary:
    """From the lines the child finished; the last one is empty, or was cut off."""
    finished = [_object(line) for line in lines[:-1]]
    if not finished:
        raise SummaryError(f"The capture could not be summarised: {failure or 'nothing was said'}.")
    if "error" in finished[0]:
        raise SummaryError(f"The capture could not be summarised. {finished[0]['error']}")
    summary = Summary.from_json(finished[0])
    if len(finished) > 1:
        exchanges = tuple(exchange_from_json(each) for each in finished[1]["exchanges"])
        notes = (*summary.notes, *finished[1]["notes"])
        return Summary(summary.totals, summary.flows, payload, exchanges, notes)
    if failure:
        notes = (*summary.notes, f"HTTP, DNS and TLS are not listed: {failure}.")
        return Summary(summary.totals, summary.flows, payload, (), notes)
    return summary


def _object(line: bytes) -> dict[str, Any]:
    value = json.loads(line)
    if not isinstance(value, dict):
        raise SummaryError("The capture could not be summarised: the answer was not understood.")
    return value
