"""What routers and hosts report by ICMP. Pure."""

from collections import defaultdict
from collections.abc import Iterator

from workers.summary.event import MOST_OF_A_KIND, Event
from workers.summary.finding import Evidence, Finding
from workers.summary.findings import filters, wording

ICMP_ERROR, MTU = "icmp-error", "mtu"

_FRAGMENTATION_NEEDED, _PACKET_TOO_BIG = (3, 4), 2


def find(evidence: Evidence) -> Iterator[Finding]:
    """One for each reporter and what it reports: an MTU that is too small, or anything else."""
    found: dict[tuple[str, str, bool], list[Event]] = defaultdict(list)
    for event in evidence.summary.events:
        if event.kind == "icmp-error":
            found[event.by, event.text, _too_big(event)].append(event)
    more = evidence.summary.event_counts.get("icmp-error", 0) > MOST_OF_A_KIND
    for (by, text, too_big), events in found.items():
        yield (_mtu if too_big else _error)(evidence, by, text, events, more=more)


def _too_big(event: Event) -> bool:
    kind, code = int(event.numbers.get("type", 0)), int(event.numbers.get("code", 0))
    return kind == _PACKET_TOO_BIG if ":" in event.by else (kind, code) == _FRAGMENTATION_NEEDED


def _shown(by: str, event: Event) -> str:
    version = "icmpv6" if ":" in by else "icmp"
    kind, code = int(event.numbers.get("type", 0)), int(event.numbers.get("code", 0))
    return f"{version}.type == {kind} && {version}.code == {code} && {filters.address(by, 'src')}"


def _mtu(evidence: Evidence, by: str, _text: str, events: list[Event], *, more: bool) -> Finding:
    names = evidence.names
    sizes = [int(event.numbers["mtu"]) for event in events if "mtu" in event.numbers]
    largest = f", at most {min(sizes):,} bytes fit" if sizes else ""
    senders = [event.source.address for event in events if event.source]
    said = f" of {wording.hosts(names, senders)}" if senders else ""
    return Finding(
        MTU,
        "warning",
        f"Packets{said} are too big for the way: {wording.host(names, by)} said so "
        f"{wording.many(len(events), 'time', least=more)}{largest}. Where such messages do not arrive, "
        "large answers hang while small ones pass.",
        {"times": len(events), "clients": len(set(senders)), **({"mtu": min(sizes)} if sizes else {})},
        filters.from_frame(events[0].frame, _shown(by, events[0])),
        events[0].frame,
        "Set the MTU of the pod network to what fits under its tunnel (VXLAN takes 50 bytes of 1,500), and "
        "let "
        "ICMP through.",
    )


def _error(evidence: Evidence, by: str, text: str, events: list[Event], *, more: bool) -> Finding:
    names = evidence.names
    targets = [str(event.target) for event in events if event.target]
    about = [event.target for event in events if event.target]
    senders = [event.source.address for event in events if event.source]
    to = ""  # a quotation can be too short to say about what
    if about:
        end = about[0]
        to = f" to {wording.server(names, end) if end.port else wording.host(names, end.address)}"
    others = len(set(targets)) - 1
    whose = f" about packets of {wording.hosts(names, senders)}{to}" if senders else ""
    rest = f" and {others:,} other target{'s' if others > 1 else ''}" if others > 0 else ""
    return Finding(
        ICMP_ERROR,
        "warning",
        f"{wording.host(names, by)} reported *{text}* {wording.many(len(events), 'time', least=more)}"
        f"{whose}{rest}.",
        {"times": len(events), "clients": len(set(senders)), "says": text},
        filters.from_frame(events[0].frame, _shown(by, events[0])),
        events[0].frame,
        _NEXT.get(
            text, "Follow the way to that target from the reporter on: its route, and what filters there."
        ),
    )


_NEXT = {
    "port unreachable": "Check that a process listens on that UDP port, or that the Service has ready "
    "endpoints "
    "(kube-proxy rejects so where it has none).",
    "TTL exceeded in transit": "Look for a routing loop between the reporter and the target.",
    "hop limit exceeded in transit": "Look for a routing loop between the reporter and the target.",
    "communication administratively prohibited": "Look for a NetworkPolicy or firewall that rejects there.",
    "host administratively prohibited": "Look for a NetworkPolicy or firewall that rejects there.",
}
