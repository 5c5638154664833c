"""Which address, interface index and name the next pod of a node gets: pure, and the same every time."""

import hashlib
import ipaddress
from collections.abc import Iterator

DECOY_INDEXES = (111, 11, 1110, 21, 2111, 1111, 211, 112)
"""Indexes that contain one another's digits: who looks for 11 as text finds the wrong interface."""

_FIRST_HOST = 2
_FIRST_INDEX = 4


class Addresses:
    """Hands out what pods need; what was given back is used again after everything else, as by host-local.

    Args:
        pod_range: The node's, such as 10.244.1.0/24; its first address is the bridge's.
    """

    def __init__(self, pod_range: str) -> None:
        self._network = ipaddress.ip_network(pod_range)
        self._last = _FIRST_HOST - 1
        self._taken: set[str] = set()
        self._indexes = _indexes()

    def take(self, wanted: str | None = None) -> str:
        """The next free address, or the wanted one.

        Raises:
            LookupError: All are taken, or that one is, or it is not of this range.
        """
        if wanted is not None:
            if wanted in self._taken or ipaddress.ip_address(wanted) not in self._network:
                raise LookupError(f"{wanted} is not free in {self._network}")
            self._taken.add(wanted)
            return wanted
        hosts = self._network.num_addresses - 1 - _FIRST_HOST
        for step in range(hosts):
            number = (self._last + 1 + step - _FIRST_HOST) % hosts + _FIRST_HOST
            address = str(self._network[number])
            if address not in self._taken:
                self._last = number
                self._taken.add(address)
                return address
        raise LookupError(f"no address is free in {self._network}")

    def give_back(self, address: str) -> None:
        """The pod is gone."""
        self._taken.discard(address)

    def interface_index(self) -> int:
        """The next interface index on the node; none is used twice."""
        return next(self._indexes)


def interface_name(uid: str) -> str:
    """A pod's interface on the node: `veth` and eight hexadecimal digits, as the CNI bridge plugin has it."""
    return f"veth{hashlib.sha256(uid.encode()).hexdigest()[:8]}"


def _indexes() -> Iterator[int]:
    yield from DECOY_INDEXES
    index = _FIRST_INDEX
    while True:
        if index not in DECOY_INDEXES:
            yield index
        index += 1
