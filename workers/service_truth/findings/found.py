"""All findings about the Services of a capture. Pure."""

from collections.abc import Iterable, Sequence

from workers.names.names import Names
from workers.names.snapshot import Snapshot
from workers.service_truth.findings import endpoint_idle, replica_share, service_path, session_affinity
from workers.service_truth.truth import ServiceTruth
from workers.summary.endpoint import Endpoint
from workers.summary.finding import Finding
from workers.summary.findings import source_rewritten
from workers.vantage.findings import lost_between, rewritten_between

IDS = (
    service_path.ID,
    session_affinity.KEPT,
    session_affinity.BROKEN,
    replica_share.ID,
    endpoint_idle.ID,
)
"""docs/findings.md says when each is reported."""


def findings(truths: Iterable[ServiceTruth], cluster: Snapshot, names: Names) -> tuple[Finding, ...]:
    """All of them, not ranked.

    Args:
        truths: Of all Services' ports of the capture.
        cluster: What they were made with.
        names: Of the same.
    """
    pods = {address for pod in cluster.pods for address in pod.ips}
    inside = frozenset(pods | {address for node in cluster.nodes for address in node.own_ips})
    own = {(each.namespace, each.name): frozenset(each.cluster_ips) for each in cluster.services}
    return tuple(
        finding
        for truth in truths
        for found in (
            service_path.find(truth, names, inside, own[truth.port.namespace, truth.port.service]),
            session_affinity.find(truth, names),
            replica_share.find(truth, names),
            endpoint_idle.find(truth, names, inside),
        )
        for finding in found
    )


def without_said(
    others: Iterable[Finding],
    found: Iterable[Finding],
    truths: Sequence[ServiceTruth] = (),
    names: Names | None = None,
) -> tuple[Finding, ...]:
    """Other findings of the capture but those that `service-path` says once for all taps.

    Args:
        others: Of single taps (`source-rewritten`) and of what is between them (`rewritten-between`, and
            `lost-between` of those whom a policy turned away).
        found: What `findings` gave.
        truths: It was made of them; without them nothing of what is between taps is left out.
        names: Likewise.
    """
    shown = (names or Names.none()).shown
    paths = [each for each in found if each.id == service_path.ID]
    told = {each.numbers["service"] for each in paths}
    blamed = {each.numbers["service"] for each in paths if each.numbers.get("value") == "Cluster"}
    doors = {
        shown(replica.address, replica.port)
        for truth in truths
        if truth.name in told and any(row.proven for row in truth.reached)
        for replica in truth.replicas
    }
    fronts = (
        Endpoint.parse(one.front) for truth in truths if truth.name in told for one in truth.turned_away
    )
    closed = {shown(front.address, front.port) for front in fronts}
    return tuple(
        each
        for each in others
        if not (each.id == source_rewritten.ID and each.numbers["service"] in blamed)
        and not (each.id == rewritten_between.ID and each.numbers["after"] in doors)
        and not (each.id == lost_between.ID and each.numbers.get("server") in closed)
    )
