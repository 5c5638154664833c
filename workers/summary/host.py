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
        _, (source, _), (target, _), packets_ab, bytes_ab, packets_ba, bytes_ba, *_ = flow
        for address, packets_sent, bytes_sent, packets_got, bytes_got in (
            (source, packets_ab, bytes_ab, packets_ba, bytes_ba),
            (target, packets_ba, bytes_ba, packets_ab, bytes_ab),
        ):
            known = counts.get(address)
            if known is None:
                known = counts[address] = [0, 0, 0, 0]
            known[0] += packets_sent
            known[1] += bytes_sent
            known[2] += packets_got
            known[3] += bytes_got
    ordered = sorted(counts.items(), key=lambda each: (-each[1][1] - each[1][3], each[0]))[:_MOST]
    return {address: Host(*numbers) for address, numbers in ordered}
