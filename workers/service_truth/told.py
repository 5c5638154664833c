"""What became of each Service's traffic: all taps of a capture together. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from workers.names.snapshot import EndpointSlice, Service, Snapshot
from workers.names.snapshot import ServicePort as Port
from workers.service_truth.affinity import Choices, bounds
from workers.service_truth.doors import ServicePort
from workers.service_truth.entrances import entrances
from workers.service_truth.reached import Known, is_external, known, reached
from workers.service_truth.sight import Sight
from workers.service_truth.truth import UNKNOWN, Reached, Replica, ServiceTruth
from workers.service_truth.turned_away import turned_away
from workers.summary.endpoint import Endpoint
from workers.thread.words import count
from workers.vantage.comparison import Comparison

AFFINITY_SECONDS = 10_800
"""Kubernetes' default of `sessionAffinityConfig.clientIP.timeoutSeconds`."""


class _Given(NamedTuple):
    """What every Service's truth is made of."""

    sights: Sequence[Sight]
    cluster: Known
    rows: Mapping[ServicePort, list[Reached]]
    before: Mapping[tuple[str, str], list[EndpointSlice]]
    later: Mapping[tuple[str, str], list[EndpointSlice]] | None


def service_truths(
    sights: Sequence[Sight],
    snapshot: Snapshot,
    comparison: Comparison | None = None,
    *,
    later: Snapshot | None = None,
) -> tuple[ServiceTruth, ...]:
    """One for each Service's port whose replicas were captured, or at which clients were turned away.

    Args:
        sights: What each tap saw; one tap is enough.
        snapshot: The cluster when the capture began.
        comparison: The taps held against each other; None for one tap.
        later: The cluster when the capture ended, where that was asked: without it nobody knows whether
            endpoints came or went meanwhile.

    Returns:
        Those with most connections first.
    """
    cluster = known(snapshot)
    comparison = comparison or Comparison()
    rows = reached(sights, entrances(comparison, cluster.doors), cluster)
    given = _Given(sights, cluster, rows, _slices(snapshot), None if later is None else _slices(later))
    truths = [
        _truth(ServicePort(service.namespace, service.name, port.number, port.protocol), port, service, given)
        for service in snapshot.services
        if service.cluster_ips
        for port in service.ports
    ]
    busy = {each.server.address for sight in sights for each in sight.visits if each.connections}
    left = comparison.passage_count - len(comparison.passages)
    note = f"How {count(left, 'more connection')} came in is not known here: there were too many."
    shown = [
        replace(each, notes=(*each.notes, note)) if left > 0 and each.reached else each
        for each in truths
        if each.reached
        or each.turned_away
        # Nothing came, neither by another Service nor to the replicas themselves.
        or (each.tapped and not any(one.address in busy for one in each.tapped))
    ]
    return tuple(sorted(shown, key=lambda each: (-each.connections, each.port)))


def doubted(truths: Iterable[ServiceTruth]) -> tuple[str, ...]:
    """The namespaces whose endpoints are to be asked for again, before an affinity is called broken."""
    broken = (each for each in truths if any(bound.kept == "broken" for bound in each.affinity))
    return tuple(sorted({each.port.namespace for each in broken}))


def _slices(snapshot: Snapshot) -> dict[tuple[str, str], list[EndpointSlice]]:
    found: dict[tuple[str, str], list[EndpointSlice]] = defaultdict(list)
    for piece in snapshot.slices:
        found[piece.namespace, piece.service].append(piece)
    return found


def _truth(named: ServicePort, port: Port, service: Service, given: _Given) -> ServiceTruth:
    rows = sorted(given.rows.get(named, ()), key=lambda row: (-row.connections, row.client, row.replica))
    pieces = given.before.get((service.namespace, service.name), [])
    replicas = tuple(
        _counted(each, port.protocol, rows, given) for each in _replicas(pieces, port, service.namespace)
    )
    external = is_external(service)
    own_policy = service.external_traffic_policy or "Cluster"
    truth = ServiceTruth(
        named,
        service.type,
        port.node_port,
        external,
        own_policy if external else "",
        service.internal_traffic_policy or "Cluster",
        _affinity_seconds(service),
        replicas,
        tuple(rows),
        uplinks=sum(each.vantage.kind == "uplink" for each in given.sights),
        seconds=max((each.seconds for each in given.sights), default=0.0),
    )
    truth = replace(truth, turned_away=turned_away(truth, given.sights, given.cluster))
    if truth.affinity_seconds:
        changed = _changed(truth, port, given)
        told = bounds(rows, truth.affinity_seconds, _choices(truth), given.cluster.pods, changed)
        truth = replace(truth, affinity=told)
    return replace(truth, notes=tuple(_notes(truth, given)))


def _affinity_seconds(service: Service) -> int:
    return (service.affinity_seconds or AFFINITY_SECONDS) if service.session_affinity == "ClientIP" else 0


def _replicas(pieces: Sequence[EndpointSlice], port: Port, namespace: str) -> list[Replica]:
    found = {
        address: Replica(
            address,
            number.number,
            f"{namespace}/{endpoint.pod}" if endpoint.pod else "",
            endpoint.node,
            endpoint.ready,
        )
        for piece in pieces
        for number in piece.ports
        if (number.name, number.protocol) == (port.name, port.protocol)
        for endpoint in piece.endpoints
        for address in endpoint.addresses
    }
    return [found[address] for address in sorted(found)]


def _counted(replica: Replica, protocol: str, rows: Sequence[Reached], given: _Given) -> Replica:
    """With what it got, if its packets were captured."""
    door = Endpoint(replica.address, replica.port)
    taps = [
        each
        for each in given.sights
        if each.vantage.kind == "pod" and replica.address in each.vantage.addresses
    ]
    if not taps:
        return replica
    visits = [each for each in taps[0].visits if (each.protocol, each.server) == (protocol, door)]
    mine = [row for row in rows if row.replica == replica.address]
    connections = sum(row.connections for row in mine)
    if connections == sum(each.connections for each in visits):
        requests, size = sum(each.requests for each in visits), sum(each.bytes for each in visits)
    else:  # others asked it by another Service, or itself
        requests, size = sum(row.requests or 0 for row in mine), sum(row.bytes or 0 for row in mine)
    return replace(
        replica,
        tapped=True,
        connections=connections,
        refused=sum(each.refused for each in visits),
        unanswered=sum(each.unanswered for each in visits),
        requests=requests,
        bytes=size,
    )


def _choices(truth: ServiceTruth) -> Choices:
    ready = [each for each in truth.replicas if each.ready]
    return Choices(
        len(ready),
        Counter(each.node for each in ready),
        external_local=truth.external_policy == "Local",
        internal_local=truth.internal_policy == "Local",
    )


def _changed(truth: ServiceTruth, port: Port, given: _Given) -> set[str]:
    """Addresses of endpoints that were not there and ready all the time."""
    before = {each.address for each in truth.replicas if each.ready}
    changed = {each.address for each in truth.replicas if not each.ready and each.connections}
    if given.later is not None:
        pieces = given.later.get((truth.port.namespace, truth.port.service), [])
        after = {each.address for each in _replicas(pieces, port, truth.port.namespace) if each.ready}
        changed |= before ^ after
    return changed


def _notes(truth: ServiceTruth, given: _Given) -> Iterator[str]:
    ready = [each for each in truth.replicas if each.ready]
    there = [each for each in ready if each.tapped]
    if there and len(there) < len(ready):
        yield (
            f"Of {len(ready):,} ready endpoints {len(there):,} {'was' if len(there) == 1 else 'were'} "
            "captured; what the others got is not known."
        )
    hidden = sum(row.connections for row in truth.reached if row.client == UNKNOWN and row.seen)
    if hidden:
        unseen = "no captured interface saw them before that"
        if truth.uplinks:
            unseen = "the captured uplinks did not show them before that"
        yield (
            f"The clients of {count(hidden, 'connection')} are unknown: nodes replaced their addresses, and "
            f"{unseen}."
        )
    inside = sum(
        row.connections for row in truth.reached if row.client in given.cluster.pods and not row.proven
    )
    if inside:
        yield (
            f"{count(inside, 'connection')} came from pods of the cluster; whether they asked the Service or "
            "the pod itself shows only where their own packets are captured as well."
        )
