"""Connections that were open and ended by a reset. Pure."""

from collections import defaultdict
from collections.abc import Iterator

from workers.summary.event import MOST_OF_A_KIND, Event
from workers.summary.exchange import TlsExchange
from workers.summary.finding import Evidence, Finding, Severity
from workers.summary.findings import filters, wording
from workers.summary.flow import Flow
from workers.summary.table import span

ID = "reset"

IDLE = 30.0
"""Seconds of silence before a reset from which on the silence is likely its cause: load balancers and
conntrack forget connections after a minute or more, clients try their pools again within seconds."""

REQUEST = 100_000
"""Bytes of a request at most: a server that took more and said nothing was sent a file or a stream."""

_UNSEEN = "of which nothing was captured before"


def find(evidence: Evidence) -> Iterator[Finding]:
    """One for each that resets, whom, and the moment it does."""
    flows = evidence.summary.flows
    # A handshake that failed is why they were given up: that finding says so.
    explained = {
        (each.client, each.server)
        for each in evidence.summary.exchanges
        if isinstance(each, TlsExchange) and each.alerts
    }
    found: dict[tuple[str, str, int, str], list[tuple[Event, Flow]]] = defaultdict(list)
    for event in evidence.summary.events:
        if event.kind != "reset" or event.flow is None or event.source is None or event.side is None:
            continue
        flow = flows[event.flow]
        moment = _moment(event, flow)
        if moment and flow.ends not in explained:
            role = "client" if event.side == flow.client else "server"
            found[event.source.address, role, flow.ends[1].port, moment].append((event, flow))
    more = evidence.summary.event_counts.get("reset", 0) > MOST_OF_A_KIND
    for (address, role, port, moment), seen in found.items():
        yield _finding(evidence, address, role, port, moment, seen, more=more)


def _moment(event: Event, flow: Flow) -> str:
    """When it was reset; empty where that is a usual way to end: both had said that they end."""
    client = flow.client == event.side
    asked, answered = (
        (flow.payload_ab, flow.payload_ba) if flow.client == "a" else (flow.payload_ba, flow.payload_ab)
    )
    if event.frame == flow.first_frame:
        return _UNSEEN  # nor can be told how long it was silent
    if flow.opened_by is not None and flow.handshake is None:
        return "at the handshake"
    if event.numbers.get("idle", 0.0) >= IDLE:
        return "after silence"
    looked = client and not asked and not answered  # at a port, as probes of load balancers do
    if flow.fins_ab or flow.fins_ba or looked:
        return ""
    if answered or not asked:
        return "in the middle"
    return _waiting(asked, client=client)


def _waiting(asked: int, *, client: bool) -> str:
    """The same of what was asked, in so many bytes, and not answered."""
    if client:
        return "while it waited for an answer"
    return "after the request, without an answer" if asked <= REQUEST else "in the middle"


_WHY = {
    _UNSEEN: "whether that was a refusal, or the end of a connection that was open, cannot be told",
    "at the handshake": "the connection was never used: its client gave up, or a scanner looked at the port",
    "after silence": "the silence before it was long, so something on the way or at that end had forgotten "
    "the connection (an idle timeout)",
    "after the request, without an answer": "the application crashed, was killed, or closes connections that "
    "it does not like",
    "while it waited for an answer": "it had asked and gave up, at a timeout of its own or because somebody "
    "stopped it",
    "in the middle": "that end gave the connection up while it was in use: an application that ended or "
    "crashed, a timeout, or bytes it had not read when it closed",
}
_NEXT = {
    _UNSEEN: "Capture from before such a connection begins, with a filter that lets all of it through: what "
    "came before the reset says why.",
    "at the handshake": "Look whether health checks of a load balancer come from that address; they are "
    "harmless.",
    "after silence": "Let keep-alive begin before that timeout, or make the client's pool drop idle "
    "connections "
    "earlier than the server does.",
    "after the request, without an answer": "Read the log of that pod at that time, and its restarts and "
    "memory "
    "(`kubectl describe pod`).",
    "while it waited for an answer": "Look why the server takes that long, and compare with the client's "
    "timeout.",
    "in the middle": "Read the log of that end at that time, and compare the time-outs of both ends.",
}
_SEVERITY: dict[str, Severity] = {
    _UNSEEN: "warning",
    "at the handshake": "info",
    "after silence": "warning",
    "after the request, without an answer": "critical",
    "while it waited for an answer": "warning",
    "in the middle": "warning",
}


def _finding(
    evidence: Evidence,
    address: str,
    role: str,
    port: int,
    moment: str,
    seen: list[tuple[Event, Flow]],
    *,
    more: bool,
) -> Finding:
    first, flow = seen[0]
    others = [event.target.address for event, _ in seen if event.target]
    after = sorted(event.numbers.get("after", 0.0) for event, _ in seen)
    often = wording.many(len(seen), "connection", least=more)
    soonest, latest = span(after[0]), span(after[-1])
    when = soonest if soonest == latest else f"{soonest} to {latest}"
    when = f", {when} after {'its' if len(seen) == 1 else 'their'} begin"
    if moment == _UNSEEN:
        when = ""
    client, server = flow.ends
    end = server if role == "server" else client
    who = wording.server(evidence.names, end) if role == "server" else wording.host(evidence.names, address)
    to = f" to port {port}" if role == "client" else ""
    pairs = [(event.source, event.target) for event, _ in seen if event.source and event.target]
    shown = f"tcp.flags.reset == 1 && {filters.sent(pairs)}"
    return Finding(
        ID,
        _SEVERITY[moment],
        f"{who} reset {often}{to} with {wording.hosts(evidence.names, others)} {moment}{when}: "
        f"{_WHY[moment]}.",
        {
            "times": len(seen),
            "clients": len(set(others)),
            "soonest": after[0],
            "latest": after[-1],
            "when": moment,
            "address": str(end),
        },
        filters.from_frame(first.frame, shown),
        first.frame,
        _NEXT[moment],
    )
