"""Which client reached which replica by which way, from what replicas' taps counted. Pure.

Where the same connections were recognised in front of the node that rewrote them, the client is known.
Elsewhere its address is what the replica sees, unless that is a node's own and the Service makes nodes
rewrite sources: then the client stays unknown, and the address tells by which node it came in.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from workers.names.snapshot import Pod, Service, Snapshot
from workers.service_truth.doors import Doors, ServicePort
from workers.service_truth.entrances import Entrance, Entrances
from workers.service_truth.sight import Sight
from workers.service_truth.truth import UNKNOWN, Reached
from workers.service_truth.visits import Visits
from workers.summary.endpoint import Endpoint
from workers.vantage.vantage import Vantage

_OWN_PORTS = range(32768, 61000)  # of Linux's own sockets (ip_local_port_range)


class Known(NamedTuple):
    """What the cluster tells, asked by address."""

    doors: Doors
    services: dict[tuple[str, str], Service]
    pods: dict[str, Pod]


def known(snapshot: Snapshot) -> Known:
    """Of a snapshot."""
    return Known(
        Doors(snapshot),
        {(each.namespace, each.name): each for each in snapshot.services},
        {address: pod for pod in snapshot.pods if not pod.host_network for address in pod.ips},
    )


def is_external(service: Service) -> bool:
    """Whether clients from outside of the cluster can come in by it."""
    return bool(
        service.type in ("NodePort", "LoadBalancer") or service.external_ips or service.load_balancer_ips
    )


def reached(
    sights: Iterable[Sight], entrances: Entrances, cluster: Known
) -> dict[ServicePort, list[Reached]]:
    """The rows of each Service's port; those that asked a replica itself are in none."""
    found: dict[ServicePort, list[Reached]] = defaultdict(list)
    for sight in sights:
        for visits in sight.visits:
            if not _is_own(sight.vantage, visits, cluster.doors):
                continue
            came = entrances.get((sight.vantage.number, visits.protocol, visits.server), [])
            mine = [each for each in came if each.seen.address == visits.client]
            for port, row in _rows(visits, mine, sight.vantage, cluster):
                found[port].append(row)
    return found


def _is_own(vantage: Vantage, visits: Visits, doors: Doors) -> bool:
    own = vantage.kind == "pod" and visits.server.address in vantage.addresses
    return own and bool(doors.back(visits.protocol, visits.server))


def _rows(
    visits: Visits, came: list[Entrance], vantage: Vantage, cluster: Known
) -> Iterator[tuple[ServicePort, Reached]]:
    single = {each.port: each for each in visits.visits}
    if visits.visits:
        # Health checks and probes are no connections, recognised or not.
        came = [each for each in came if each.seen.port in single or len(single) < visits.connections]
    came = came[: visits.connections]
    groups: dict[tuple[str, ServicePort | None, Endpoint, str, str], list[Entrance]] = defaultdict(list)
    for each in came:
        groups[each.client, each.port, each.front, each.entry, each.clock].append(each)
    requests, size, rest = visits.requests, visits.bytes, visits.connections - len(came)
    counted = True
    for (client, port, front, entry, clock), met in groups.items():
        one = [single[each.seen.port] for each in met if each.seen.port in single]
        whole = len(met) == visits.connections
        told = len(one) == len(met)
        counted = counted and (told or whole)
        its_requests = visits.requests if whole else sum(each.requests for each in one)
        its_size = visits.bytes if whole else sum(each.bytes for each in one)
        requests, size = requests - its_requests, size - its_size
        if port is None:
            continue
        began = {each.seen.port for each in met}
        if visits.opened < visits.connections:
            began = {each.port for each in one if each.start}
        starts = sorted(each.start for each in met if each.seen.port in began)
        yield (
            port,
            Reached(
                client,
                visits.client,
                entry,
                str(front),
                visits.server.address,
                proven=True,
                connections=len(met),
                requests=its_requests if told or whole else None,
                bytes=its_size if told or whole else None,
                opened=len(starts),
                first=starts[0] if starts else 0,
                last=starts[-1] if starts else 0,
                clock=clock,
                frame=min(each.frame for each in met),
            ),
        )
    if rest > 0:
        # When the others came can be told only where nobody was recognised.
        others = visits if not came else visits._replace(opened=0, first=0, last=0)
        yield from _unproven(
            others, rest, requests if counted else None, size if counted else None, vantage, cluster
        )


def _unproven(
    visits: Visits, rest: int, requests: int | None, size: int | None, vantage: Vantage, cluster: Known
) -> Iterator[tuple[ServicePort, Reached]]:
    port = _likeliest(visits, cluster)
    service = cluster.services[port.namespace, port.service]
    client, entry = visits.client, ""
    node = cluster.doors.nodes.get(visits.client)
    if node is not None:
        entry = node
        if is_external(service) and service.external_traffic_policy != "Local":
            client = UNKNOWN
    elif visits.client in cluster.pods:
        entry = cluster.pods[visits.client].node
    elif visits.client and service.external_traffic_policy == "Local":
        entry = vantage.node
    yield (
        port,
        Reached(
            client,
            visits.client,
            entry,
            "",
            visits.server.address,
            proven=False,
            connections=rest,
            requests=requests,
            bytes=size,
            opened=visits.opened,
            first=visits.first,
            last=visits.last,
            clock=vantage.node,
            certain=client != UNKNOWN or any(each.port not in _OWN_PORTS for each in visits.visits),
        ),
    )


def _likeliest(visits: Visits, cluster: Known) -> ServicePort:
    """The Service by which this client may have come: where several lead here, one that lets it in."""
    leading = cluster.doors.back(visits.protocol, visits.server)
    inside = visits.client in cluster.pods
    if not inside:
        for port in leading:
            if is_external(cluster.services[port.namespace, port.service]):
                return port
    return leading[0]
