"""How far the clocks of nodes are apart, from packets that were seen on both. Pure.

A packet cannot arrive before it left: the least time that packets seem to take from one node to another is an
upper bound of how far the other's clock is ahead, the least time back the lower one. The truth lies between;
it cannot be told nearer than packets travel. A clock that drifts meanwhile widens the bounds or turns them
round; then they are put in their order.
"""

from workers.vantage.comparison import Offset

Bounds = tuple[int | None, int | None]
"""Nanoseconds that one clock is ahead of another, at least and at most; None where nothing says."""

_NOTHING = (0, 0)

_ENOUGH = 50_000
"""Packets in each direction that bound a pair of clocks as well as all of them."""


class Clocks:
    """What was learnt so far."""

    def __init__(self) -> None:
        self._least: dict[tuple[str, str], tuple[int, int]] = {}

    def learn(self, left: str, came: str, least: int, packets: int) -> None:
        """So many packets from node `left` to node `came` seemed to take `least` nanoseconds or more."""
        if left != came:
            known, count = self._least.get((left, came), (least, 0))
            self._least[left, came] = min(known, least), count + packets

    def know(self, node: str, other: str) -> bool:
        """Whether enough was learnt of two nodes."""
        pairs = ((node, other), (other, node))
        return all(self._least.get(pair, (0, 0))[1] >= _ENOUGH for pair in pairs)

    def ahead(self, node: str, other: str) -> Bounds:
        """How far the clock of `other` is ahead of that of `node`."""
        if node == other:
            return _NOTHING
        there, back = self._least.get((node, other)), self._least.get((other, node))
        high = there[0] if there else None
        low = -back[0] if back else None
        return (high, low) if low is not None and high is not None and low > high else (low, high)

    def offsets(self) -> tuple[Offset, ...]:
        """One for each pair of nodes between which packets were recognised."""
        pairs = dict.fromkeys((min(pair), max(pair)) for pair in self._least)
        found = []
        for node, other in sorted(pairs):
            counts = [self._least[pair][1] for pair in ((node, other), (other, node)) if pair in self._least]
            found.append(Offset(node, other, *self.ahead(node, other), sum(counts)))
        return tuple(found)
