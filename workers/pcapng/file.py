"""Making a pcapng file of a pcap file, in a child process: `workers.pcapng.child`."""

import json
import tempfile
from pathlib import Path
from typing import BinaryIO

from workers.pcapng.about import About
from workers.pcapng.write import Written
from workers.summary.limited import run_limited

MEMORY = 256 << 20
"""Bytes of address space: a Python without tshark, three blocks of the file, and the names."""


class PcapngError(Exception):
    """No pcapng file could be made; the message is one sentence."""


def pcapng_file(source: Path, target: Path, about: About, *, seconds: int = 300) -> Written:
    """Writes the packets of `source` as pcapng into `target`, which must not exist.

    Args:
        source: A pcap file.
        target: It is there afterwards only when all went well.
        about: What the file says of itself.
        seconds: Of time, CPU and wall, after which the child is ended.

    Raises:
        PcapngError: It is no pcap file, or was not written to its end.
        OSError: A file cannot be opened.
    """
    with source.open("rb") as packets, target.open("xb") as out, tempfile.TemporaryFile("w+b") as said:
        said.write(json.dumps(about.to_json()).encode())
        said.seek(0)
        try:
            return _run(packets, out.fileno(), said.fileno(), seconds)
        except BaseException:
            target.unlink()
            raise


def _run(packets: BinaryIO, into: int, about: int, seconds: int) -> Written:
    arguments = [
        "--seconds",
        str(seconds),
        "--memory",
        str(MEMORY),
        "--into",
        str(into),
        "--about",
        str(about),
    ]
    module = "workers.pcapng.child"
    output, failure = run_limited(module, arguments, packets, seconds=seconds, inherited=(into, about))
    said = json.loads(output) if output.endswith(b"\n") else {}
    if "error" in said:
        raise PcapngError(f"The packets could not be written as pcapng. {said['error']}")
    if failure or not said:
        raise PcapngError(f"The packets could not be written as pcapng: {failure or 'nothing was said'}.")
    return Written(**said)
