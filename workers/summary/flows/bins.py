"""The timeline while it is counted: bins that double their width when the file outlasts them. Pure."""

from workers.summary.flows.conversation import OTHER, TO_CLIENT, TO_SERVER
from workers.summary.timeline import MOST_BINS, Timeline

_NARROWEST = 1_000_000
_WIDEST = 1 << 62
_EMPTY = [0, 0, 0, 0]

Bin = list[int]
"""Packets, then bytes by way: `TO_SERVER`, `TO_CLIENT`, `OTHER`."""


class Bins:
    """Counts in spans of equal width from a first moment on."""

    def __init__(self, begin: int) -> None:
        self.begin = begin
        self.width = _NARROWEST
        self._bins: list[Bin] = []
        self._marks: dict[str, dict[int, int]] = {}

    def at(self, time: int) -> tuple[Bin, int, int]:
        """The bin for a time in nanoseconds since 1970, and from when until when it is the right one."""
        place = self._place(time)
        while len(self._bins) <= place:
            self._bins.append(_EMPTY.copy())
        begin = self.begin + place * self.width
        return self._bins[place], -_WIDEST if place == 0 else begin, begin + self.width

    def mark(self, kind: str, time: int) -> None:
        """Counts an event."""
        place = self._place(time)
        marks = self._marks.setdefault(kind, {})
        marks[place] = marks.get(place, 0) + 1

    def _place(self, time: int) -> int:
        # A single packet decades away leaves one bin for all others, but no more than that.
        while (place := max(0, time - self.begin) // self.width) >= MOST_BINS:
            self._double()
        return place

    def _double(self) -> None:
        self.width *= 2
        if len(self._bins) % 2:
            self._bins.append(_EMPTY.copy())
        pairs = zip(self._bins[::2], self._bins[1::2], strict=True)
        self._bins = [[one + other for one, other in zip(*pair, strict=True)] for pair in pairs]
        for kind, marks in self._marks.items():
            halved: dict[int, int] = {}
            for place, times in marks.items():
                halved[place // 2] = halved.get(place // 2, 0) + times
            self._marks[kind] = halved

    def result(self) -> Timeline:
        """As counted so far."""
        long = len(self._bins)
        return Timeline(
            self.width / 1e9,
            tuple(each[0] for each in self._bins),
            tuple(each[TO_SERVER] for each in self._bins),
            tuple(each[TO_CLIENT] for each in self._bins),
            tuple(each[OTHER] for each in self._bins),
            {
                kind: tuple(marks.get(place, 0) for place in range(long))
                for kind, marks in self._marks.items()
            },
        )
