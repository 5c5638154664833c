"""A capture file counted: as far as it goes, and as time and memory do. Pure, but for reading it."""

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import IO

from workers.summary.files.capturefile import Content, open_capture
from workers.summary.files.packets import PcapError, Source
from workers.summary.flows.counting import Counting
from workers.summary.summary import Summary, Totals

_BEGINNING = 1 << 20
"""Bytes that are read in any case: of a file that was opened something is told."""

TOO_LONG, TOO_MUCH, FELL = "takes too long", "needs too much memory", "failed"

_FILE_HEADER, _RECORD_HEADER = 24, 16
_UNZIPPED = "The file's gzip is cut short or damaged: what stands behind that is left out."
_NOTHING_UNZIPPED = "The file's gzip is cut short or damaged: fetch it again, or capture again."
_UNTIMED = (
    "Packets in this file have no time (Simple Packet Blocks): each counts with that of the packet "
    "before it, or of the first that has one, and with 0 where none has."
)
_CUT = (
    "Packets in this file are cut short: what they lack of HTTP, DNS and TLS is not told, and one without "
    "the whole header of TCP is in no flow, as in tshark."
)


@dataclass(frozen=True, slots=True)
class CountedFile:
    """What one pass over a file gave.

    Attributes:
        summary: Without findings. What is missing is said in its `notes`.
        unknown: Names of encapsulations in the file that only tshark opens.
        early: Whether it was stopped before the end of the file.
    """

    summary: Summary
    unknown: tuple[str, ...]
    early: bool


def counted_file(file: IO[bytes], *, payload: bool, over: Callable[[], str]) -> CountedFile:
    """Counts a file.

    Args:
        file: Open, unbuffered, at its beginning.
        payload: Whether packets are whole, so that HTTP, DNS and TLS can be read.
        over: Why no more of it is to be read: `TOO_LONG`, `TOO_MUCH`, `FELL`, or nothing. Asked before each
            piece of the file behind its first megabyte.

    Raises:
        PcapError: It is empty, or of another format.
    """
    disk = _Disk(file)
    whole = Content(disk)
    content = _InTime(whole, over)
    counting = Counting(payload=payload)
    try:
        packets = open_capture(content)
        counting.file(packets)
    except PcapError:
        if disk.failed:
            raise PcapError(f"The file cannot be read ({disk.failed}): copy it anew.") from None
        if whole.damaged:
            raise PcapError(_NOTHING_UNZIPPED) from None
        raise
    result = counting.result()
    ended = _UNZIPPED if whole.damaged else packets.trouble
    if disk.failed:
        ended = f"The file cannot be read to its end ({disk.failed}): what stands behind that is left out."
    if content.early:
        ended = _stopped(file, content.early, result.totals)
    notes = [ended] if ended else []
    if packets.untimed:
        notes.append(_UNTIMED)
    if len(counting.interfaces) > 1:
        notes.append(_several(counting.interfaces))
    if payload and result.totals.packets and _cut(content.size, result.totals):
        notes.append(_CUT)
    summary = result.summary(payload=payload, notes=tuple(notes))
    names = {host: packets.names[host] for host in summary.hosts if host in packets.names}
    return CountedFile(replace(summary, names=names), result.unknown, bool(content.early))


class _Disk:
    """A file that ends where it cannot be read.

    Attributes:
        failed: Why that is so, or nothing.
    """

    def __init__(self, file: Source) -> None:
        self._file = file
        self.failed = ""

    def read(self, size: int, /) -> bytes:
        if self.failed:
            return b""
        try:
            return self._file.read(size)
        except OSError as error:
            self.failed = error.strerror or str(error)
            return b""


class _InTime:
    """What a file holds, until it is over.

    Attributes:
        size: How many bytes of it have been read.
        early: Why it ended before the file did, or nothing.
    """

    def __init__(self, content: Source, over: Callable[[], str]) -> None:
        self._content = content
        self._over = over
        self.size = 0
        self.early = ""

    def read(self, size: int, /) -> bytes:
        if self.size >= _BEGINNING:
            self.early = self.early or self._over()
        if self.early:
            return b""
        given = self._content.read(size)
        self.size += len(given)
        return given


def _stopped(file: IO[bytes], why: str, totals: Totals) -> str:
    share = ""
    if file.seekable():
        at, whole = file.tell(), file.seek(0, os.SEEK_END)
        share = f" ({at * 100 // whole} % of the file)" if whole else ""
    return (
        f"Reading the whole file {why}, so this is about its first {totals.packets:,} packets only"
        f"{share}: to see the rest, cut it into pieces with "
        f"`editcap -c {max(1, totals.packets)} FILE PIECES`."
    )


def _several(interfaces: Collection[int]) -> str:
    """That what passes two of them is there twice."""
    first, *others = sorted(interfaces)
    listed = f"{', '.join(map(str, [first, *others[:-1]]))} and {others[-1]}"
    return (
        f"This file was captured at several interfaces (indexes {listed}), so the same packet may be in it "
        "more than once, and look as if it were sent again: take out those of one interface with "
        f"`tshark -r FILE -Y 'sll.ifindex == {first}' -w OUT`."
    )


def _cut(size: int, totals: Totals) -> bool:
    """Whether a file of this size surely lacks bytes of its packets: pcapng needs more room than pcap."""
    return size < _FILE_HEADER + totals.packets * _RECORD_HEADER + totals.bytes
