"""The visits of a capture file, from its whole flows. Pure.

It runs where all flows are, in the process that reads packets; what leaves that process has the busiest flows
only.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from workers.names.snapshot import Pod, Snapshot
from workers.service_truth.doors import Doors
from workers.service_truth.visits import Visit, Visits
from workers.summary.endpoint import Endpoint
from workers.summary.findings import kubelet
from workers.summary.flow import Flow
from workers.summary.summary import Summary

MOST = 1000
"""Clients at doors of one file; the rest of each door's clients is counted together."""

MOST_VISITS = 2000
"""Single connections of one file."""

_PROBE_SECONDS = 1.0

_Door = tuple[str, Endpoint]


def count_visits(summary: Summary, cluster: Snapshot) -> tuple[Visits, ...]:
    """Who came to which doors of Services, the busiest first.

    Args:
        summary: With all flows and exchanges.
        cluster: What concerns the addresses of the file.
    """
    doors = Doors(cluster)
    knocked: dict[_Door, list[tuple[Endpoint, Flow]]] = defaultdict(list)
    for flow in summary.flows:
        met = _met(flow, doors)
        if met is not None:
            client, server = met
            knocked[flow.protocol, server].append((client, flow))
    if not knocked:
        return ()
    pods = {address: pod for pod in cluster.pods if not pod.host_network for address in pod.ips}
    probes = _probes(summary, knocked, pods, doors)
    found = [
        _counted(door, address, flows, probes, summary.totals.first or 0)
        for door, met_there in knocked.items()
        for address, flows in _by_client(met_there).items()
    ]
    found.sort(key=lambda each: (-each.connections, -each.unanswered, each.client, each.server))
    return _with_visits(
        (*found[:MOST], *_together(found[MOST:])), knocked, probes, doors, summary.totals.first or 0
    )


def _met(flow: Flow, doors: Doors) -> tuple[Endpoint, Endpoint] | None:
    """Client and door; the door decides which is which where nobody saw the connection being opened."""
    client, server = flow.ends
    if doors.leads(flow.protocol, server):
        return client, server
    if flow.opened_by is None and doors.leads(flow.protocol, client):
        return server, client
    return None


def _probes(
    summary: Summary,
    knocked: dict[_Door, list[tuple[Endpoint, Flow]]],
    pods: dict[str, Pod],
    doors: Doors,
) -> frozenset[int]:
    """Their `id`: a flow itself takes as long to look for as thirty numbers."""
    first = kubelet.asked(summary.exchanges)
    found: set[int] = set()
    for (protocol, server), met_there in knocked.items():
        pod = pods.get(server.address)
        flows = [flow for client, flow in met_there if client.address in doors.nodes]
        if protocol != "TCP" or pod is None:
            found.update(id(flow) for _, flow in met_there if protocol == "TCP" and _is_wordless(flow))
            continue
        opened = [
            flow for flow in flows if flow.opened_by is not None and flow.packets_ab and flow.packets_ba
        ]
        rest = kubelet.without_probes(opened, pod, server.port, doors.nodes, first, summary.totals.duration)
        found |= set(map(id, opened)) - set(map(id, rest))
        # One that was under way when the capture began, and was over at once.
        found.update(
            id(flow)
            for flow in flows
            if flow.opened_by is None and flow.start + flow.duration < _PROBE_SECONDS
        )
        found.update(id(flow) for _, flow in met_there if _is_wordless(flow))
    return frozenset(found)


def _is_wordless(flow: Flow) -> bool:
    """Opened and closed, and neither side said anything: a health check."""
    answered = _is_answered(flow)
    closed = flow.closed_by is not None
    return bool(flow.opened_by and answered and closed and not (flow.payload_ab or flow.payload_ba))


def _is_refused(flow: Flow) -> bool:
    if flow.opened_by is None or flow.handshake is not None:
        return False
    return bool(flow.resets_ba if flow.opened_by == "a" else flow.resets_ab)


def _is_unanswered(flow: Flow) -> bool:
    return not (flow.packets_ab and flow.packets_ba)


def _is_answered(flow: Flow) -> bool:
    return not _is_refused(flow) and not _is_unanswered(flow)


def _began(flow: Flow, begin: int) -> int:
    return begin + round(flow.start * 1e9)


def _by_client(met: Iterable[tuple[Endpoint, Flow]]) -> dict[str, list[Flow]]:
    found: dict[str, list[Flow]] = defaultdict(list)
    for client, flow in met:
        found[client.address].append(flow)
    return found


def _counted(door: _Door, client: str, flows: Sequence[Flow], probes: frozenset[int], begin: int) -> Visits:
    real = [flow for flow in flows if id(flow) not in probes]
    refused = [flow for flow in real if _is_refused(flow)]
    unanswered = [flow for flow in real if _is_unanswered(flow)]
    answered = [flow for flow in real if _is_answered(flow)]
    starts = sorted(_began(flow, begin) for flow in answered if flow.opened_by is not None)
    return Visits(
        door[0],
        client,
        door[1],
        len(answered),
        len(unanswered),
        len(refused),
        len(flows) - len(real),
        len(starts),
        starts[0] if starts else 0,
        starts[-1] if starts else 0,
        sum(flow.requests for flow in answered),
        sum(flow.bytes for flow in answered),
    )


def _together(rest: Iterable[Visits]) -> list[Visits]:
    """All clients of a door as one without address; when they came is of no use any more."""
    found: dict[_Door, Visits] = {}
    for each in rest:
        door = each.protocol, each.server
        so_far = found.get(door, Visits(*door[:1], "", each.server))
        found[door] = so_far._replace(
            connections=so_far.connections + each.connections,
            unanswered=so_far.unanswered + each.unanswered,
            refused=so_far.refused + each.refused,
            probes=so_far.probes + each.probes,
            requests=so_far.requests + each.requests,
            bytes=so_far.bytes + each.bytes,
        )
    return list(found.values())


def _with_visits(
    found: Iterable[Visits],
    knocked: dict[_Door, list[tuple[Endpoint, Flow]]],
    probes: frozenset[int],
    doors: Doors,
    begin: int,
) -> tuple[Visits, ...]:
    """With single connections where a node's address may stand for somebody else's."""
    room = MOST_VISITS
    result = []
    for each in found:
        if each.client in doors.nodes and room:
            single = [
                Visit(
                    client.port,
                    flow.requests,
                    flow.bytes,
                    0 if flow.opened_by is None else _began(flow, begin),
                )
                for client, flow in knocked[each.protocol, each.server]
                if client.address == each.client and id(flow) not in probes and _is_answered(flow)
            ][:room]
            room -= len(single)
            result.append(each._replace(visits=tuple(single)))
        else:
            result.append(each)
    return tuple(result)
