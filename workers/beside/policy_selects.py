"""Connections not answered, refused or lost, and a NetworkPolicy that does not let them through. Pure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from workers.beside.beside import Around, Beside
from workers.names.name import Kind
from workers.service_truth.doors import Doors
from workers.summary.endpoint import Endpoint
from workers.summary.event import Event
from workers.summary.finding import Finding
from workers.summary.findings import filters, wording
from workers.summary.findings.unanswered import PATIENCE
from workers.surroundings.policies import Direction, Peer, Policy, Port, Verdict, allowed
from workers.vantage.comparison import Absent

ID = "policy-selects"

_PROHIBITED = ("prohibit", "policy")
"""What ICMP says of a firewall: RFC 1812 5.2.7.1, RFC 4443 3.1."""


class _Case(NamedTuple):
    """What one pod's policies are asked for."""

    beside: Beside
    direction: Direction
    port: int
    verdict: Verdict
    happened: str


class _Met(NamedTuple):
    """What a connection met with.

    Attributes:
        client: Who asked.
        server: As the pod knows it.
        protocol: `TCP` or `UDP`.
        happened: In words.
        asked: The server as the packets have it.
        by_itself: Whether a server that no policy keeps from answering may have done so.
    """

    client: Endpoint
    server: Endpoint
    protocol: str
    happened: str
    asked: Endpoint
    by_itself: bool = False


def find(around: Around) -> Iterator[Finding]:
    """One for each pod, direction and port, of what its policies do not allow or may not allow."""
    cases: dict[tuple[object, ...], tuple[_Case, dict[_Met, None]]] = {}
    for met in _met(around):
        for case in _judged(around, met):
            key = (case.beside.number, *case[1:])
            cases.setdefault(key, (case, {}))[1][met] = None
    for case, mets in cases.values():
        yield _finding(around, case, list(mets))


def _met(around: Around) -> Iterator[_Met]:
    """What was lost between taps, then what single taps saw of others."""
    lost = list(_lost(around))
    yield from lost
    seen = {(met.client, met.asked) for met in lost}
    for summary in around.summaries:
        told = set()
        for event in summary.events:
            happened = _happened(event, summary.totals.duration)
            if not happened or event.source is None or event.target is None:
                continue
            client, server = event.source, event.target
            if event.kind == "refused":  # its packet comes from who refuses
                client, server = server, client
            if (client, server) not in seen:
                told.add((client, server))
                protocol = "UDP" if event.numbers.get("protocol") == 17 else "TCP"  # noqa: PLR2004, IP's number
                yield _Met(client, server, protocol, happened, server, event.kind == "refused")
        seen |= told


def _lost(around: Around) -> Iterator[_Met]:
    """Connections that left one tap and never came to another, at each pod that they may have gone to."""
    absent = () if around.comparison is None else around.comparison.absent
    doors = Doors(around.cluster)
    for each in absent:
        if each.protocol in ("TCP", "UDP"):
            happened = "refused on the way" if each.refused else "lost on the way"
            for server in _servers(around, doors, each):
                yield _Met(each.client, server, each.protocol, happened, each.server)


def _servers(around: Around, doors: Doors, absent: Absent) -> Iterator[Endpoint]:
    """The server itself, or where its Service's traffic was to go."""
    service = doors.front(absent.protocol, absent.server)
    if service is None:
        yield absent.server
        return
    ips = {ip for each in around.besides if each.number in absent.awaited for ip in each.pod.ips}
    for piece in around.cluster.slices:
        ends = (Endpoint(ip, port.number) for ip in piece.addresses if ip in ips for port in piece.ports)
        if (piece.namespace, piece.service) == (service.namespace, service.service):
            yield from (end for end in ends if service in doors.back(absent.protocol, end))


def _happened(event: Event, end: float) -> str:
    if event.kind == "unanswered":
        waited = event.numbers.get("tries", 0) > 1 or end - event.time >= PATIENCE
        return "not answered" if waited else ""
    if event.kind == "refused":
        return "refused"
    if event.kind == "icmp-error" and any(word in event.text for word in _PROHIBITED):
        return "answered with an ICMP error"
    return ""


def _judged(around: Around, met: _Met) -> Iterator[_Case]:
    """What the policies of either end say; nothing where they allow it, or do not decide."""
    client, server = met.client, met.server
    for each in around.besides:
        for direction, own, other in _directions(client, server):
            if own.address not in each.pod.ips or not each.policies:
                continue
            names = tuple(port.name for port in each.pod.ports if port.number == server.port and port.name)
            port = Port(server.port, met.protocol, names if direction == "Ingress" else None)
            verdict = allowed(each.policies, direction, port, _peer(around, each, other))
            # A server that refuses by itself is more common than a policy that may do so.
            if verdict is False or (verdict is None and not met.by_itself):
                yield _Case(each, direction, server.port, verdict, met.happened)


def _directions(client: Endpoint, server: Endpoint) -> Sequence[tuple[Direction, Endpoint, Endpoint]]:
    return (("Ingress", server, client), ("Egress", client, server))


def _peer(around: Around, each: Beside, end: Endpoint) -> Peer:
    name = around.names.name(end.address)
    own = next((node for node in around.cluster.nodes if node.name == each.pod.node), None)
    if own is not None and end.address in own.own_ips:
        return Peer(end.address, own_node=True)
    pod = next((pod for pod in around.cluster.pods if end.address in pod.ips and not pod.host_network), None)
    if pod is None:
        return Peer(end.address, outside=name.kind is Kind.EXTERNAL)
    latest = each.latest
    known = latest.namespace_labels.get(pod.namespace) if latest is not None else None
    return Peer(end.address, pod.namespace, pod.labels, known)


def _finding(around: Around, case: _Case, mets: Sequence[_Met]) -> Finding:
    governing = [policy for policy in case.beside.policies if case.direction in policy.directions]
    pod, policies = wording.quoted(case.beside.name), _names(governing)
    inward = case.direction == "Ingress"
    others = wording.hosts(around.names, [(met.client if inward else met.server).address for met in mets])
    ends = list(dict.fromkeys((met.client, met.asked) for met in mets))
    often = wording.many(len(ends), "connection")
    were = "was" if len(ends) == 1 else "were"
    way = f"{others} in to" if inward else f"it out to {others} at"
    lets = "lets" if len(governing) == 1 else "let"
    if case.verdict is False:
        said = (
            f"{policies} {'selects' if len(governing) == 1 else 'select'} {pod}, and no rule lets {way} port "
            f"{case.port}: {often} {were} {case.happened}."
        )
    else:
        said = (
            f"{often} at port {case.port} {were} {case.happened}, and {policies} "
            f"{'selects' if len(governing) == 1 else 'select'} {pod}: whether that {lets} {way} it "
            "cannot be told from what is known of the other end."
        )
    word = "ingress" if inward else "egress"
    return Finding(
        ID,
        "warning" if case.verdict is False else "info",
        said,
        {
            "times": len(ends),
            "clients": len({client.address for client, _ in ends}),
            "port": case.port,
            "policies": ", ".join(f"{each.namespace}/{each.name}" for each in governing),
            "direction": word,
        },
        filters.connections(ends),
        None,
        f"Let an {word} rule of a NetworkPolicy that selects {pod} name port {case.port} and the other end, "
        "or correct the labels it selects by.",
    )


def _names(policies: Sequence[Policy]) -> str:
    word = "NetworkPolicy" if len(policies) == 1 else "NetworkPolicies"
    listed = [wording.quoted(f"{each.namespace}/{each.name}") for each in policies[:3]]
    more = len(policies) - len(listed)
    return f"{word} {', '.join(listed)}{f' and {more} more' if more else ''}"
