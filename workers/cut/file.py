"""Cutting a capture file behind its headers, in a child process: `workers.cut.child`."""

from pathlib import Path
from typing import BinaryIO

from workers.cut.headers import Cut
from workers.summary.limited import run_limited
from workers.summary.outcome import NotWrittenError, told

MEMORY = 256 << 20
"""Bytes of address space: a Python without tshark, and three blocks of the file."""


class CutError(Exception):
    """The file could not be cut, so nothing of it may be kept; the message is one sentence."""


def cut_file(source: Path, target: Path, *, since: int = 0, whole: bool = False, seconds: int = 300) -> Cut:
    """Writes `source` with each packet cut behind its headers into `target`, which must not exist.

    Args:
        source: A pcap file with whole packets, or the beginnings of them.
        target: It is there afterwards only when all went well.
        since: Nanoseconds since 1970; packets from before are left out.
        whole: Whether packets stay whole, so that only those from before are cut off.
        seconds: Of time, CPU and wall, after which the child is ended.

    Raises:
        CutError: It is no pcap file, or was not cut to its end.
        OSError: A file cannot be opened.
    """
    with source.open("rb") as packets, target.open("xb") as out:
        try:
            return _run(packets, out, seconds, _choices(since, whole=whole))
        except BaseException:
            target.unlink()
            raise


def _choices(since: int, *, whole: bool) -> list[str]:
    return ["--since", str(since), *(["--whole"] if whole else [])]


def _run(packets: BinaryIO, out: BinaryIO, seconds: int, choices: list[str]) -> Cut:
    into = out.fileno()
    arguments = ["--into", str(into), *choices]
    output, failure = run_limited(
        "workers.cut.child", arguments, packets, seconds=seconds, memory=MEMORY, inherited=(into,)
    )
    try:
        return Cut(**told(output, failure))
    except NotWrittenError as why:
        raise CutError(f"The packets could not be cut to their headers{why}") from None
