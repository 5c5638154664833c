"""The few packets of a file that show its findings, each among some of its connection.

The file is gone through twice: for the packets themselves, which say what connections they belong to, then
for others of those. Dissectors need a connection's beginning (its sequence numbers, HTTP/2's preface) and
what came just before.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import BinaryIO, NamedTuple

from workers.summary.files.capturefile import open_capture
from workers.summary.files.packets import Packet
from workers.summary.layers.layers import IPV4, TCP, UDP, datagram, network

_FIRST, _BEFORE, _AFTER = 3, 4, 4
_SHOWN_BEFORE, _SHOWN_AFTER = 2, 3
# How far behind the last of them what comes after is looked for.
_FRAMES_BEHIND = 10_000
_PORTS = 4


class Selected(NamedTuple):
    """A packet: frame in the file, LINKTYPE_, captured bytes, bytes on the wire, nanoseconds since 1970."""

    frame: int
    link_type: int
    data: bytes
    length: int
    time: int


class _Place(NamedTuple):
    """Where a connection's ends stand in a packet: offset and size of both addresses, offset of the ports."""

    addresses: int
    size: int
    ports: int

    def ends(self, data: bytes, start: int) -> bytes:
        at, ports = start + self.addresses, start + self.ports
        return data[at : at + self.size] + data[ports : ports + _PORTS]

    def turned(self, ends: bytes) -> bytes:
        """The ends as they stand in what is sent back."""
        half, ports = self.size // 2, ends[self.size :]
        return ends[half : self.size] + ends[:half] + ports[2:] + ports[:2]


@dataclass(slots=True)
class _Wanted:
    """A packet that is wanted, and those of its connection that were met."""

    packet: Selected
    first: list[Selected] = field(default_factory=list)
    before: deque[Selected] = field(default_factory=lambda: deque(maxlen=_BEFORE))
    after: list[Selected] = field(default_factory=list)

    def meet(self, packet: Selected) -> None:
        if packet.frame > self.packet.frame:
            if len(self.after) < _AFTER:
                self.after.append(packet)
        elif packet.frame < self.packet.frame:
            (self.first if len(self.first) < _FIRST else self.before).append(packet)

    def near(self) -> list[int]:
        """The frames of some before it, of it, and of some after it."""
        before = [*self.first, *self.before][-_SHOWN_BEFORE:]
        return [each.frame for each in (*before, self.packet, *self.after[:_SHOWN_AFTER])]

    def beside(self) -> Iterator[Selected]:
        """The nearest first."""
        yield from self.after
        yield from reversed(self.before)
        yield from self.first


class Selection(NamedTuple):
    """What was taken out of a file.

    Attributes:
        packets: By frame.
        shown: For each of the frames that were wanted, it and those near it in its connection, by frame.
    """

    packets: list[Selected]
    shown: dict[int, list[int]]


def select(source: BinaryIO, frames: Iterable[int], *, most_bytes: int) -> Selection:
    """The packets of these frames, then others of their connections, as long as there is room.

    Args:
        source: The capture file; read from its beginning.
        frames: Wireshark's numbers, the most important first.
        most_bytes: Of all packets together; one that is too much is passed over.

    Raises:
        PcapError: It is no capture file.
        OSError: It cannot be read a second time.
    """
    ordered = list(dict.fromkeys(frames))
    found = {packet.frame: (_Wanted(packet), place) for packet, place in _found(source, set(ordered))}
    wanted = [found[frame] for frame in ordered if frame in found]
    _meet_others(source, wanted)
    kept: dict[int, Selected] = {}
    room = most_bytes
    for packet in (*(each.packet for each, _ in wanted), *chain(*(each.beside() for each, _ in wanted))):
        if packet.frame not in kept and len(packet.data) <= room:
            kept[packet.frame] = packet
            room -= len(packet.data)
    shown = {each.packet.frame: [one for one in each.near() if one in kept] for each, _ in wanted}
    return Selection([kept[frame] for frame in sorted(kept)], shown)


def _packets(source: BinaryIO) -> Iterator[tuple[int, int, Packet]]:
    source.seek(0)
    file = open_capture(source)
    for frame, packet in enumerate(file.packets(), 1):
        yield frame, file.link_type, packet


def _selected(frame: int, link_type: int, packet: Packet) -> Selected:
    data, start, captured, length, time = packet
    return Selected(frame, link_type, data[start : start + captured], length, time)


def _found(source: BinaryIO, frames: set[int]) -> Iterator[tuple[Selected, _Place | None]]:
    last = max(frames, default=0)
    for frame, link_type, packet in _packets(source):
        if frame in frames:
            found = _selected(frame, link_type, packet)
            yield found, _place(found)
        if frame >= last:
            return


def _place(packet: Selected) -> _Place | None:
    """None of what is neither TCP nor UDP."""
    data, end = packet.data, len(packet.data)
    behind = network(packet.link_type, data, 0, end)
    inside = datagram(behind.ethertype, data, behind.start, end, packet.length)
    if inside is None or inside.protocol not in (TCP, UDP) or inside.fragment or inside.start + _PORTS > end:
        return None
    return _Place(
        behind.start + (12 if behind.ethertype == IPV4 else 8), 2 * len(inside.source), inside.start
    )


def _meet_others(source: BinaryIO, wanted: list[tuple[_Wanted, _Place | None]]) -> None:
    places: dict[_Place, dict[bytes, list[_Wanted]]] = {}
    for each, place in wanted:
        if place is not None:
            ends = place.ends(each.packet.data, 0)
            for key in {ends, place.turned(ends)}:
                places.setdefault(place, {}).setdefault(key, []).append(each)
    if not places:
        return
    end = max(each.packet.frame for each, _ in wanted) + _FRAMES_BEHIND
    for frame, link_type, packet in _packets(source):
        for place, connections in places.items():
            for each in connections.get(place.ends(packet[0], packet[1]), ()):
                each.meet(_selected(frame, link_type, packet))
        if frame >= end:
            return
