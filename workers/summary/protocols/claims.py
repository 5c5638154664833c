"""Which machine says that an address is its own. Pure."""

from collections import OrderedDict
from typing import Literal, NamedTuple

MOST = 1024
"""Addresses that are followed; those untouched longest are forgotten beyond."""

_CONTESTED = 60.0  # seconds within which an address that goes back was contested, not moved twice


class Owner(NamedTuple):
    """The machine that claimed an address last, since when, and the one before (empty: none)."""

    machine: bytes
    since: float
    before: bytes


class Verdict(NamedTuple):
    """What a claim shows: the address moved to another machine, or two contest it."""

    kind: Literal["moved", "conflict"]
    machines: tuple[bytes, bytes]


class Claims:
    """Follows the claims of one file, in the order of its packets."""

    def __init__(self) -> None:
        self._owners: OrderedDict[str, Owner] = OrderedDict()

    def claim(self, address: str, machine: bytes, time: float) -> Verdict | None:
        """A machine says that an address is its own; what that shows, if anything."""
        known = self._owners.get(address)
        if known is not None and known.machine == machine:
            self._owners.move_to_end(address)
            return None
        self._owners[address] = Owner(machine, time, b"" if known is None else known.machine)
        self._owners.move_to_end(address)
        if len(self._owners) > MOST:
            self._owners.popitem(last=False)
        if known is None:
            return None
        contested = known.before == machine and time - known.since <= _CONTESTED
        return Verdict("conflict" if contested else "moved", (known.machine, machine))
