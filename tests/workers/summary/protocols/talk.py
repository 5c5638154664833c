"""What two sides say to each other, given to a reader in any pieces."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from workers.summary.endpoint import Endpoint
from workers.summary.exchange import CallExchange, Exchange, HttpExchange
from workers.summary.protocols.reader import Connection, Reader, Segment

CLIENT, SERVER = Endpoint("10.244.2.1", 40000), Endpoint("10.244.2.2", 5000)
CONNECTION = Connection(CLIENT, SERVER)

Turn = tuple[bool, bytes]
"""Whether the client speaks, and what."""

Make = Callable[[Connection], Reader]


@dataclass
class Talk:
    """Turns; each has a frame of its own number, from 1, at so many milliseconds.

    Attributes:
        joined: The reader comes in the middle.
        gaps: Before which turns, by number, bytes are missing.
    """

    turns: list[Turn]
    joined: bool = False
    gaps: frozenset[int] = frozenset()

    def told(self, make: Make, *, split: Callable[[bytes], list[bytes]] | None = None) -> list[Exchange]:
        reader = make(CONNECTION)
        told: list[Exchange] = []
        seen = set()
        gaps = set(self.gaps)
        for number, (client, data) in enumerate(self.turns, 1):
            for piece in split(data) if split else [data]:
                gap = number in gaps or (self.joined and client not in seen)
                seen.add(client)
                gaps.discard(number)
                told += reader.read(Segment(client, piece, number / 1000, number, gap))
        return [*told, *reader.end()]


def says(data: bytes) -> Turn:
    return True, data


def hears(data: bytes) -> Turn:
    return False, data


def pieces(seed: int) -> Callable[[bytes], list[bytes]]:
    """Splits at random places, many of them single bytes."""
    chance = random.Random(seed)

    def split(data: bytes) -> list[bytes]:
        found, at = [], 0
        while at < len(data):
            size = chance.choice((1, 1, 2, 5, 9, 40, 400, 4000))
            found.append(data[at : at + size])
            at += size
        return found

    return split


def outcome(exchange: CallExchange | HttpExchange) -> str:
    if exchange.seconds is not None:
        return "answered"
    return "unread" if exchange.unread else "unanswered"


def calls(told: Iterable[Exchange]) -> list[tuple[str, str, str]]:
    """What was called, whether it was answered, and the error."""
    return [(each.call, outcome(each), each.error or "") for each in told if isinstance(each, CallExchange)]
