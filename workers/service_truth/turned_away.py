"""Clients that came to a Service where no endpoint may answer them. Pure."""

from collections.abc import Iterable, Iterator

from workers.service_truth.reached import Known
from workers.service_truth.sight import Sight
from workers.service_truth.truth import ServiceTruth, TurnedAway, Why
from workers.service_truth.visits import Visits


def turned_away(truth: ServiceTruth, sights: Iterable[Sight], cluster: Known) -> tuple[TurnedAway, ...]:
    """Those of whose connections none was answered, where the endpoints and the policies say why.

    kube-proxy rejects what comes to a Service without endpoints, and drops what only a policy keeps from one.
    """
    found: dict[tuple[str, str], TurnedAway] = {}
    for each in _all(truth, sights, cluster):
        key = each.client, each.front
        if key not in found or found[key].connections < each.connections:
            found[key] = each
    return tuple(sorted(found.values(), key=lambda each: (-each.connections, each.client, each.front)))


def _all(truth: ServiceTruth, sights: Iterable[Sight], cluster: Known) -> Iterator[TurnedAway]:
    for sight in sights:
        for visits in sight.visits:
            failed = visits.unanswered + visits.refused
            if not failed or visits.connections or not visits.client:
                continue
            if cluster.doors.front(visits.protocol, visits.server) != truth.port:
                continue
            entry = cluster.doors.nodes.get(visits.server.address) or sight.vantage.node
            why = _why(truth, visits, entry, cluster)
            if why is not None:
                yield TurnedAway(visits.client, entry, str(visits.server), failed, why)


def _why(truth: ServiceTruth, visits: Visits, entry: str, cluster: Known) -> Why | None:
    ready = [each for each in truth.replicas if each.ready]
    if not ready:
        return "no-endpoint"
    if any(each.node == entry for each in ready):
        return None
    service = cluster.services[truth.port.namespace, truth.port.service]
    if visits.server.address in service.cluster_ips:
        return "internal-local" if truth.internal_policy == "Local" else None
    # For pods and nodes the external policy does not hold.
    inside = visits.client in cluster.pods or visits.client in cluster.doors.nodes
    return "external-local" if truth.external_policy == "Local" and not inside else None
