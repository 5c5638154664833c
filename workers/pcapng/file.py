"""Making pcapng of pcap, in a child process: `workers.pcapng.child`."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from workers.pcapng.about import About
from workers.pcapng.merge import Merged
from workers.summary.limited import run_limited
from workers.summary.outcome import NotWrittenError, told

MEMORY = 256 << 20
"""Bytes of address space: a Python without tshark, three blocks of each file, and the names."""


class PcapngError(Exception):
    """No pcapng file could be made; the message is one sentence."""


def merged_file(
    sources: Sequence[Path], target: Path, about: About, taps: Sequence[About], *, seconds: int = 300
) -> Merged:
    """Writes the packets of pcap files as one pcapng file into `target`, which must not exist.

    Args:
        sources: One for each tap; its place is the number of its interface.
        target: It is there afterwards only when all went well.
        about: The whole file: comment, application, hardware, system and hosts count.
        taps: Each tap's interface, description, filter, system, counts and `began`.
        seconds: Of time, CPU and wall, after which the child is ended.

    Raises:
        PcapngError: One is no pcap file, or they were not written to the end.
        OSError: A file cannot be opened.
    """
    said = {"about": about.to_json(), "taps": [each.to_json() for each in taps]}
    with ExitStack() as files:
        opened = [files.enter_context(each.open("rb")).fileno() for each in sources]
        out = files.enter_context(_new(target)).fileno()
        arguments = ["--into", str(out), *map(str, opened)]
        with _as_json(said) as described:
            output, failure = run_limited(
                "workers.pcapng.child",
                arguments,
                described,
                seconds=seconds,
                memory=MEMORY,
                inherited=(out, *opened),
            )
        try:
            found = told(output, failure)
        except NotWrittenError as why:
            raise PcapngError(f"The packets could not be written as pcapng{why}") from None
    return Merged(**{name: tuple(each) for name, each in found.items()})


@contextmanager
def _new(target: Path) -> Iterator[BinaryIO]:
    with target.open("xb") as out:
        try:
            yield out
        except BaseException:
            target.unlink()
            raise


@contextmanager
def _as_json(value: dict[str, Any]) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile("w+b") as file:
        file.write(json.dumps(value).encode())
        file.seek(0)
        yield file
