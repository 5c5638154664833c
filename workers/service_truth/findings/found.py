"""All findings about the Services of a capture. Pure."""

from collections.abc import Iterable, Sequence

from workers.names.names import Names
from workers.names.snapshot import Snapshot
from workers.service_truth.findings import endpoint_idle, replica_share, service_path, session_affinity
from workers.service_truth.truth import ServiceTruth
from workers.summary.finding import Finding

IDS = (
    service_path.ID,
    session_affinity.KEPT,
    session_affinity.BROKEN,
    replica_share.ID,
    endpoint_idle.ID,
)
"""docs/findings.md says when each is reported."""

_SAID_BETTER = frozenset(("source-rewritten", "rewritten-between"))


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


def without_said(others: Iterable[Finding], found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Other findings of the capture but those of which `service-path` says all for all taps at once."""
    told = {
        each.numbers["service"]
        for each in found
        if each.id == service_path.ID and each.numbers.get("value") == "Cluster"
    }
    return tuple(
        each for each in others if each.id not in _SAID_BETTER or each.numbers.get("service") not in told
    )
