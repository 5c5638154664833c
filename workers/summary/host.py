"""What the addresses of a capture sent and got. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from workers.summary.flow import Flow

_MOST = 200


class Host(NamedTuple):
    """What one address sent and got in flows."""

    packets_sent: int
    bytes_sent: int
    packets_got: int
    bytes_got: int


def busiest(flows: Iterable[Flow]) -> dict[str, Host]:
    """The 200 addresses of most bytes, the busiest first."""
    counts: dict[str, list[int]] = {}
    for flow in flows:
        for address, numbers in (
            (flow.a.address, flow[3:7]),
            (flow.b.address, (*flow[5:7], *flow[3:5])),
        ):
            known = counts.setdefault(address, [0, 0, 0, 0])
            for place, number in enumerate(numbers):
                known[place] += number
    ordered = sorted(counts.items(), key=lambda each: (-each[1][1] - each[1][3], each[0]))[:_MOST]
    return {address: Host(*numbers) for address, numbers in ordered}
