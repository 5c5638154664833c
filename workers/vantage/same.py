"""The same packet at two stops, recognised for certain. Pure."""

from array import array

from workers.vantage.sighting import FIELDS, WITHOUT_HOPS

_SAID, _MARKS = 1, 2
_AGAIN = -1

Both = tuple[int, int]
"""Where a packet stands in the numbers of the one stop, and of the other."""


def same(one: "array[int]", other: "array[int]") -> list[Both]:
    """Packets of one direction that are at both stops, each once: what was repeated alike is left out.

    Args:
        one: Packets as `Sighting.ways` holds them.
        other: Likewise.
    """
    if not one or not other:
        return []
    there = _places(other)
    return [
        (place, its)
        for key, place in _places(one).items()
        if place != _AGAIN and (its := there.get(key, _AGAIN)) != _AGAIN
    ]


def took(one: "array[int]", other: "array[int]", both: list[Both]) -> list[int]:
    """Nanoseconds that each took from the one stop to the other, by the clocks of both."""
    return [other[its] - one[place] for place, its in both]


def _places(packets: "array[int]") -> dict[tuple[int, int], int]:
    """Where each packet stands, `_AGAIN` for those of which there are several."""
    places: dict[tuple[int, int], int] = {}
    said, marked = packets[_SAID::FIELDS], packets[_MARKS::FIELDS]
    for number, (each, its) in enumerate(zip(said, marked, strict=True)):
        key = each, its & WITHOUT_HOPS
        places[key] = _AGAIN if key in places else number * FIELDS
    return places
