"""Who is next in line: which waiting captures may begin, and what holds back the others. Pure.

Two fair turns stand above each other. Channels take turns in *rounds*: a channel has one capture in each
round, however many of its captures wait. Within a channel its users take turns in *laps*: the channel's next
round belongs to the user with the lowest lap. Both numbers are given to a capture when it joins the line,
always behind those that have had their turn. So whoever comes later passes a waiting capture only as often as
those numbers let him, and no channel and no user, however loud, keeps another one waiting for ever.

A capture that some limit holds back is passed by those that need no such room, and keeps its number: it is
the first one for the room that it needs. One on several nodes takes a place on each.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

Room = tuple[str, str, str]
"""What has room for so many captures at once: the limit's name, and whose room it is."""


@dataclass(frozen=True, slots=True)
class Seat:
    """What the line needs to know of a capture; `round` and `lap` are 0 before it has joined.

    `channel` is empty at a terminal, `nodes` where the cluster has not said them; it counts once on each.
    """

    id: str
    user: str
    channel: str
    nodes: tuple[str, ...]
    cluster: str
    round: int = 0
    lap: int = 0

    def rooms(self) -> tuple[Room, ...]:
        """Every room that it takes a place in, the narrowest first."""
        rooms = [("user", self.user, ""), ("cluster", self.cluster, "")]
        rooms[1:1] = [("node", self.cluster, node) for node in self.nodes]
        if self.channel:
            rooms.insert(1, ("channel", self.channel, ""))
        return tuple(rooms)


@dataclass(frozen=True, slots=True)
class Held:
    """Why a capture waits: the name of the limit that is reached, and its place in the line for that room.

    `whose` is the one whose room it is, such as the node.
    """

    limit: str
    place: int
    whose: str = ""


def joined(seat: Seat, waiting: Iterable[Seat], *, round_now: int, lap_now: int) -> list[Seat]:
    """Lets a capture join the line.

    Args:
        seat: The newcomer.
        waiting: Those that have joined before and wait.
        round_now: The last round of which any capture had its turn.
        lap_now: The last lap of which any capture of its channel had its turn.

    Returns:
        Its channel's captures that wait, it among them, with the numbers that they have now.
    """
    mine = [one for one in waiting if one.channel == seat.channel]
    lap = max([lap_now, *(one.lap for one in mine if one.user == seat.user)]) + 1
    # The rounds belong to the channel: one more at their end, and all dealt anew in the order of the laps.
    rounds = sorted(one.round for one in mine)
    rounds.append(max([round_now, *rounds]) + 1)
    # A sort keeps what is equal in its order: who came first.
    dealt = sorted([*sorted(mine, key=_order), replace(seat, lap=lap)], key=lambda one: one.lap)
    return [replace(one, round=number) for one, number in zip(dealt, rounds, strict=True)]


def stand(
    waiting: Iterable[Seat], running: Iterable[Seat], limits: Mapping[str, int]
) -> tuple[list[Seat], dict[str, Held]]:
    """Who of the line may begin now, and what holds back each of the others.

    Args:
        waiting: Those that have joined.
        running: Those that have had their turn and have not ended.
        limits: How many there may be at once, by the names that `Seat.rooms` has: `user`, `channel`, `node`
            and `cluster`.

    Returns:
        The captures whose turn it is, in their order; and the others by id.
    """
    taken = Counter(room for one in running for room in one.rooms())
    ahead: Counter[Room] = Counter()
    turns: list[Seat] = []
    held: dict[str, Held] = {}
    for one in in_line(waiting):
        rooms = one.rooms()
        full = next((room for room in rooms if taken[room] >= limits[room[0]]), None)
        if full is None:
            turns.append(one)
            taken.update(rooms)
        else:
            ahead.update(rooms)
            held[one.id] = Held(full[0], ahead[full], full[2] or full[1])
            if full[0] == "node" and len(one.nodes) > 1:
                # Room on some of its nodes is kept for it: else it might wait for ever for all at once.
                taken.update(room for room in rooms if room[0] == "node")
    return turns, held


def in_line(waiting: Iterable[Seat]) -> Sequence[Seat]:
    """The line in its order."""
    return sorted(waiting, key=_order)


def _order(seat: Seat) -> tuple[int, int, str]:
    return seat.round, seat.lap, seat.id
