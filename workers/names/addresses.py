"""Addresses as text: one spelling for each, and what is known of one that the cluster has not. Pure."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


@lru_cache(maxsize=65_536)
def canonical(text: str) -> str:
    """The address as inet_ntop(3) spells it, IPv4 in IPv6 as IPv4; what is no address as it is."""
    address = parsed(text)
    return text if address is None else str(address)


def parsed(text: str) -> IPv4Address | IPv6Address | None:
    """The address, IPv4 in IPv6 as IPv4, without a zone; None for what is none."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


class Ranges:
    """Which of many networks an address is in, in a time that does not grow with their number."""

    def __init__(self, networks: Iterable[tuple[Network, str]]) -> None:
        """Takes pairs of a network and what is to be found for it."""
        self._found: dict[tuple[int, int], dict[int, str]] = {}
        for network, what in networks:
            shift = network.max_prefixlen - network.prefixlen
            self._found.setdefault((network.version, shift), {})[int(network[0]) >> shift] = what

    def find(self, text: str) -> str | None:
        """What was given for the smallest network with this address; None when it is in none."""
        address = parsed(text)
        if address is None:
            return None
        number = int(address)
        for (version, shift), found in sorted(self._found.items()):
            if version == address.version and number >> shift in found:
                return found[number >> shift]
        return None


_SHARED = IPv4Network("100.64.0.0/10")


def reach(text: str) -> str:
    """Whose such addresses are: `private`, `public`, `loopback`, `link-local`, `multicast` and so on.

    By IANA's registries of special-purpose addresses; `shared` is RFC 6598's, of carriers and some clouds.
    """
    address = parsed(text)
    if address is None:
        return "no address"
    if str(address) == "255.255.255.255":
        return "broadcast"
    for what in ("unspecified", "loopback", "link_local", "multicast"):
        if getattr(address, f"is_{what}"):
            return what.replace("_", "-")
    if address in _SHARED:
        return "shared"
    if address.is_private:
        return "private"
    return "public" if address.is_global else "reserved"
