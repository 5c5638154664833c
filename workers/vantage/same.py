"""The same packet at two stops, recognised for certain. Pure."""

from array import array
from typing import NamedTuple

from workers.vantage.sighting import FIELDS, WITHOUT_HOPS, Packet

_SAID, _MARKS = 1, 2
_AGAIN = -1


class Both(NamedTuple):
    """One packet, at the stop that it came to first and at the other."""

    one: Packet
    other: Packet

    @property
    def took(self) -> int:
        """Nanoseconds from the one to the other, by the clocks of both."""
        return self.other.time - self.one.time


def same(one: "array[int]", other: "array[int]") -> list[Both]:
    """Packets of one direction that are at both stops, each once: what was repeated alike is left out.

    Args:
        one: Packets as `Sighting.ways` holds them.
        other: Likewise.
    """
    there = _places(other)
    found = []
    for key, place in _places(one).items():
        its = there.get(key, _AGAIN)
        if _AGAIN not in (place, its):
            found.append(Both(Packet(*one[place : place + FIELDS]), Packet(*other[its : its + FIELDS])))
    return found


def _places(packets: "array[int]") -> dict[tuple[int, int], int]:
    """Where each packet stands, `_AGAIN` for those of which there are several."""
    places: dict[tuple[int, int], int] = {}
    said, marked = packets[_SAID::FIELDS], packets[_MARKS::FIELDS]
    for number, (each, its) in enumerate(zip(said, marked, strict=True)):
        key = each, its & WITHOUT_HOPS
        places[key] = _AGAIN if key in places else number * FIELDS
    return places
