"""How a capture of all interfaces of a node sees each packet once. Pure.

What passes a bridge or a bond passes a port of it, too, and would be captured at both. The node itself speaks
through the bridge or the bond, never through its ports.
"""

from collections.abc import Iterable, Iterator

from workers.tap.links import Link

_LED = frozenset({"bridge", "bond", "team", "openvswitch"})
"""Kinds of links that receive again what their ports received; a VRF does not, for who captures at `any`."""


def bridge_ports(links: Iterable[Link]) -> list[Link]:
    """Those links that are ports of a bridge or a bond."""
    listed = list(links)
    leading = {link.name for link in listed if link.kind in _LED}
    return [link for link in listed if link.master in leading]


def not_at_ports(links: Iterable[Link]) -> str:
    """The filter that leaves their packets out, or "" when there are no ports.

    A node has hundreds of them and an exec's arguments travel in a URL: so indexes between which no other
    link has its own are one term. `link[4:4]` is the index (LINKTYPE_LINUX_SLL2); a libpcap from before it
    had that refuses `ifindex` (pcap-filter(7)).
    """
    listed = list(links)
    left_out = {link.ifindex for link in bridge_ports(listed)}
    terms = [_term(run) for run in _runs(sorted(link.ifindex for link in listed), left_out)]
    return f"not ({' or '.join(terms)})" if terms else ""


def _runs(indexes: Iterable[int], left_out: set[int]) -> Iterator[list[int]]:
    run: list[int] = []
    for index in indexes:
        if index in left_out:
            run.append(index)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _term(run: list[int]) -> str:
    first, last = run[0], run[-1]
    ends = " or ".join(f"ifindex {index}" for index in sorted({first, last}))
    return ends if len(run) <= 2 else f"{ends} or (link[4:4] > {first} and link[4:4] < {last})"  # noqa: PLR2004  (both ends)
