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
    silent = {event.flow for event in evidence.summary.events if event.kind == "unanswered"}
    for (by, text, too_big), events in found.items():
        if too_big:
            yield _mtu(evidence, by, events, more=more)
        else:
            never = len({event.flow for event in events} & silent)
            yield _error(evidence, by, text, events, never, more=more)


def told(evidence: Evidence) -> set[int | None]:
    """The places of the flows that an error is about: it says why what they sent was not answered."""
    return {event.flow for event in evidence.summary.events if event.kind == "icmp-error"}


def _too_big(event: Event) -> bool:
    kind, code = int(event.numbers.get("type", 0)), int(event.numbers.get("code", 0))
    return kind == _PACKET_TOO_BIG if ":" in event.by else (kind, code) == _FRAGMENTATION_NEEDED


def _shown(by: str, event: Event) -> str:
    version = "icmpv6" if ":" in by else "icmp"
    kind, code = int(event.numbers.get("type", 0)), int(event.numbers.get("code", 0))
    return f"{version}.type == {kind} && {version}.code == {code} && {filters.address(by, 'src')}"


def _mtu(evidence: Evidence, by: str, events: list[Event], *, more: bool) -> Finding:
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


def _error(evidence: Evidence, by: str, text: str, events: list[Event], never: int, *, more: bool) -> Finding:
    """`never` is how many connections were not opened because of it."""
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
    why = f": {wording.many(never, 'connection')} could not be opened for it" if never else ""
    protocol = "TCP" if events[0].numbers.get("protocol") == _TCP else "UDP"
    return Finding(
        ICMP_ERROR,
        "critical" if never else "warning",
        f"{wording.host(names, by)} reported *{text}* {wording.many(len(events), 'time', least=more)}"
        f"{whose}{rest}{why}.",
        {"times": len(events), "clients": len(set(senders)), "says": text, "connections": never},
        filters.from_frame(events[0].frame, _shown(by, events[0])),
        events[0].frame,
        _NEXT_TCP
        if (text, protocol) == ("port unreachable", "TCP")
        else _NEXT.get(
            text, "Follow the way to that target from the reporter on: its route, and what filters there."
        ),
    )


_TCP = 6
_NEXT_TCP = (
    "Something rejects these connections on purpose: kube-proxy, where a Service has no ready endpoint, or a "
    "rule of a firewall (`REJECT`)."
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
