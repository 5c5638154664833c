"""Making pcapng of pcap, in a child process: `workers.pcapng.child`, `workers.pcapng.merge_child`."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from workers.pcapng.about import About
from workers.pcapng.merge import Merged
from workers.pcapng.write import Written
from workers.summary.limited import run_limited
from workers.summary.outcome import NotWrittenError, told

MEMORY = 256 << 20
"""Bytes of address space: a Python without tshark, three blocks of each file, and the names."""


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
    with source.open("rb") as packets, _new(target) as out, _as_json(about.to_json()) as said:
        descriptors = (out.fileno(), said.fileno())
        arguments = ["--into", str(descriptors[0]), "--about", str(descriptors[1])]
        return Written(**_run("workers.pcapng.child", arguments, packets, descriptors, seconds))


def merged_file(
    sources: Sequence[Path], target: Path, about: About, taps: Sequence[About], *, seconds: int = 300
) -> Merged:
    """Writes the packets of several pcap files as one pcapng file into `target`, which must not exist.

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
            found = _run("workers.pcapng.merge_child", arguments, described, (out, *opened), seconds)
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


def _run(
    module: str, arguments: Sequence[str], source: BinaryIO, inherited: Sequence[int], seconds: int
) -> dict[str, Any]:
    output, failure = run_limited(
        module, arguments, source, seconds=seconds, memory=MEMORY, inherited=tuple(inherited)
    )
    try:
        return told(output, failure)
    except NotWrittenError as why:
        raise PcapngError(f"The packets could not be written as pcapng{why}") from None
