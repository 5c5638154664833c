"""The timeline while it is counted: bins that double their width when the file outlasts them. Pure."""

from typing import Final, final

from mypy_extensions import i64

from workers.summary.files.packets import seconds
from workers.summary.flows.conversation import TO_CLIENT, TO_SERVER
from workers.summary.timeline import MOST_BINS, Timeline

_NARROWEST: Final = 1_000_000


@final
class Bin:
    """Packets, and bytes by way."""

    __slots__ = ("other", "packets", "to_client", "to_server")

    def __init__(self) -> None:
        self.packets: i64 = 0
        self.to_server: i64 = 0
        self.to_client: i64 = 0
        self.other: i64 = 0

    def add(self, other: "Bin") -> None:
        """What is in another."""
        self.packets += other.packets
        self.to_server += other.to_server
        self.to_client += other.to_client
        self.other += other.other


@final
class Bins:
    """Counts in spans of equal width from a first moment on; times are in nanoseconds since 1970.

    Attributes:
        begin: That moment; 0 before `start`.
        width: Of a span.
    """

    def __init__(self) -> None:
        self.begin: i64 = 0
        self.width: i64 = _NARROWEST
        self._bins = [Bin()]
        self._marks: dict[str, dict[int, int]] = {}
        # The bin of the packet before, and from when until when it is the right one: mostly it is again.
        self._current = self._bins[0]
        self._from: i64 = 0
        self._until: i64 = 0

    def start(self, begin: i64) -> None:
        """The first moment; nothing is counted before."""
        self.begin = begin

    def add(self, time: i64, way: i64, size: i64) -> None:
        """Counts a packet of so many bytes; `way` is TO_SERVER, TO_CLIENT or OTHER."""
        if not self._from <= time < self._until:
            self._go(time)
        current = self._current
        current.packets += 1
        if way == TO_SERVER:
            current.to_server += size
        elif way == TO_CLIENT:
            current.to_client += size
        else:
            current.other += size

    def _go(self, time: i64) -> None:
        place = self._place(time)
        while len(self._bins) <= place:
            self._bins.append(Bin())
        self._current = self._bins[place]
        self._from = self.begin + place * self.width
        self._until = self._from + self.width

    def mark(self, kind: str, time: i64) -> None:
        """Counts an event."""
        place = self._place(time)
        marks = self._marks.setdefault(kind, {})
        marks[place] = marks.get(place, 0) + 1

    def _place(self, time: i64) -> i64:
        # A single packet decades away leaves one bin for all others, but no more than that.
        since = max(0, time - self.begin)
        while since // self.width >= MOST_BINS:
            self._double()
        return since // self.width

    def _double(self) -> None:
        self.width *= 2
        for one, other in zip(self._bins[::2], self._bins[1::2], strict=False):
            one.add(other)
        self._bins = self._bins[::2]
        self._until = self._from  # the current bin is another
        for kind, marks in self._marks.items():
            halved: dict[int, int] = {}
            for place, times in marks.items():
                halved[place // 2] = halved.get(place // 2, 0) + times
            self._marks[kind] = halved

    def result(self) -> Timeline:
        """As counted so far."""
        long = len(self._bins)
        return Timeline(
            seconds(self.width),
            tuple(each.packets for each in self._bins),
            tuple(each.to_server for each in self._bins),
            tuple(each.to_client for each in self._bins),
            tuple(each.other for each in self._bins),
            {
                kind: tuple(marks.get(place, 0) for place in range(long))
                for kind, marks in self._marks.items()
            },
        )
