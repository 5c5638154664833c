"""Replicas that get much more than their share. Pure.

kube-proxy chooses a replica for each connection at random (iptables, nftables) or in turn (IPVS), each with
the same chance; requests follow their connection.
"""

from collections.abc import Iterator
from math import sqrt

from workers.names.names import Names
from workers.service_truth.findings import told
from workers.service_truth.truth import Replica, ServiceTruth
from workers.summary.finding import Finding, Severity
from workers.summary.findings import wording
from workers.thread.words import count

ID = "replica-share"

LEAST_REQUESTS, LEAST_CONNECTIONS = 50, 30
_TIMES_FAIR = 1.5
_BEYOND_CHANCE = 4.0  # standard deviations


def find(truth: ServiceTruth, names: Names) -> Iterator[Finding]:
    """One, where the busiest replica has half as much again as its share, and there is enough to share."""
    there = [each for each in truth.tapped if each.ready]
    requests, connections = (sum(each.requests for each in there), sum(each.connections for each in there))
    if len(there) < 2:  # noqa: PLR2004, one has nobody to share with
        return
    if requests >= LEAST_REQUESTS:
        unit, parts, total = "request", {each: each.requests for each in there}, requests
    elif connections >= LEAST_CONNECTIONS:
        unit, parts, total = "connection", {each: each.connections for each in there}, connections
    else:
        return
    busiest = max(there, key=lambda each: (parts[each], each.address))
    if parts[busiest] * len(there) >= _TIMES_FAIR * total:
        yield _finding(truth, names, parts, unit)


def _finding(truth: ServiceTruth, names: Names, parts: dict[Replica, int], unit: str) -> Finding:
    ordered = sorted(parts, key=lambda each: (-parts[each], each.address))
    busiest, idlest, total = ordered[0], ordered[-1], sum(parts.values())
    why, following, severity = _why(truth, ordered)
    return Finding(
        ID,
        severity,
        f"Replicas of {told.service(truth)} have unequal shares: {wording.host(names, busiest.address)} got "
        f"{wording.share(parts[busiest], total)} of {count(total, unit)}, "
        f"{wording.host(names, idlest.address)} {wording.share(parts[idlest], total)}, where an equal share "
        "is "
        f"{wording.share(1, len(parts))}; {why}.",
        {
            "service": truth.name,
            "times": total,
            "of": unit,
            "replicas": len(parts),
            "most": parts[busiest],
            "least": parts[idlest],
            "connections": sum(each.connections for each in ordered),
        },
        f"{truth.port.protocol.lower()}.port == {busiest.port}",
        None,
        following,
    )


def _why(truth: ServiceTruth, replicas: list[Replica]) -> tuple[str, str, Severity]:
    connections = [each.connections for each in replicas]
    severity: Severity = "info"
    if truth.external_policy == "Local":
        why = "with `externalTrafficPolicy: Local` each node's clients go to that node's own replicas"
        following = (
            "Spread replicas evenly over the nodes (`topologySpreadConstraints`), or set "
            "`externalTrafficPolicy: Cluster`."
        )
    elif truth.affinity_seconds:
        why = "with `sessionAffinity: ClientIP` a client stays at its replica, however much it asks"
        following = (
            "Where clients share an address (a proxy, a NAT), affinity by cookie in a proxy is fairer."
        )
    elif not _is_beyond_chance(connections):
        severity = "warning"
        carried = told.connections(sum(connections))
        why = f"Kubernetes shares out connections, not requests, and {carried} carried them"
        following = (
            "Let clients open connections anew now and then, or put a proxy before the Service that balances "
            "requests (needed for gRPC and HTTP/2)."
        )
    else:
        severity = "warning"
        why = "chance does not explain that"
        following = (
            "Look who chooses the replica: a client that knows the pods (headless Service, ingress "
            "controller), or a kube-proxy that does not know all endpoints."
        )
    return why, following, severity


def _is_beyond_chance(parts: list[int]) -> bool:
    total, fair = sum(parts), 1 / len(parts)
    deviation = sqrt(total * fair * (1 - fair))
    return bool(total) and max(parts) - total * fair > _BEYOND_CHANCE * deviation
