"""Trouble of ARP and neighbour discovery. Pure."""

from collections import defaultdict
from collections.abc import Iterator

from workers.summary.event import Event
from workers.summary.finding import Evidence, Finding
from workers.summary.findings import filters, wording

ABSENT, CONFLICT = "neighbour-absent", "neighbour-conflict"

LEAST_TRIES = 3
"""Questions in vain: the kernel asks three times before it gives up (arp(7), mcast_solicit)."""

_ABSENT = ("arp-unanswered", "neighbour-unanswered")
_CONFLICT = ("arp-conflict", "neighbour-conflict")


def find(evidence: Evidence) -> Iterator[Finding]:
    """One for each address that nobody has, or that two have."""
    conflicts: dict[str, list[Event]] = defaultdict(list)
    for event in evidence.summary.events:
        if event.kind in _ABSENT and event.numbers.get("tries", 0) >= LEAST_TRIES:
            yield _absent(evidence, event)
        elif event.kind in _CONFLICT:
            conflicts[event.text].append(event)
    for address, events in conflicts.items():
        yield _conflict(evidence, address, events)


def _absent(evidence: Evidence, event: Event) -> Finding:
    tries = int(event.numbers["tries"])
    asker = wording.host(evidence.names, event.source.address) if event.source else "A host"
    return Finding(
        ABSENT,
        "warning",
        f"{asker} asked {tries:,} times which machine has {wording.host(evidence.names, event.text)}, and "
        "nobody "
        "answered: that address is gone, or its machine is not on this network.",
        {"times": tries, "clients": 1},
        filters.from_frame(event.frame, _asks(event.text)),
        event.frame,
        "Look who uses that address: a pod that was deleted, or a node that is down.",
    )


def _conflict(evidence: Evidence, address: str, events: list[Event]) -> Finding:
    machines = sorted({machine for event in events for machine in event.by.split()})
    named = f" ({' and '.join(machines[:2])})" if len(machines) > 1 else ""
    about = (
        f"icmpv6.nd.na.target_address == {address}" if ":" in address else f"arp.src.proto_ipv4 == {address}"
    )
    return Finding(
        CONFLICT,
        "critical",
        f"Two machines say that they have {wording.host(evidence.names, address)}{named}: packets to it go "
        "to one "
        "or the other.",
        {"times": len(events), "clients": len(machines)},
        f"frame.number == {events[0].frame} || (frame.number >= {events[0].frame} && {about})",
        events[0].frame,
        "Find both machines by their MAC addresses (`ip neigh`, `bridge fdb`) and take the address from one.",
    )


def _asks(address: str) -> str:
    if ":" in address:
        return f"icmpv6.nd.ns.target_address == {address}"
    return f"arp.opcode == 1 && arp.dst.proto_ipv4 == {address}"
