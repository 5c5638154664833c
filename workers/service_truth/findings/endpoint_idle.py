"""Ready endpoints that got nothing while others answered. Pure."""

from collections.abc import Iterator

from workers.names.names import Names
from workers.service_truth.findings import told
from workers.service_truth.truth import Reached, Replica, ServiceTruth
from workers.summary.finding import Finding
from workers.summary.findings import wording

ID = "endpoint-idle"

CHANCE = 0.01
"""That nothing came although each choice was free: rarer than this is worth a word."""

LEAST = 10
"""Connections that others answered, where a policy is the reason."""


def find(truth: ServiceTruth, names: Names, inside: frozenset[str]) -> Iterator[Finding]:
    """One for each ready endpoint whose packets were captured, and to which nobody came.

    Args:
        truth: Of one port of a Service.
        names: Of the cluster.
        inside: Addresses of pods and nodes.
    """
    ready = [each for each in truth.replicas if each.ready]
    for each in truth.tapped:
        if each.ready and not (each.connections or each.refused or each.unanswered):
            rows = [row for row in truth.reached if _may_choose(truth, row, each, inside)]
            if rows:
                among = sum(_may_choose(truth, rows[0], one, inside) for one in ready)
                chance = (1 - 1 / among) ** _choices(truth, rows) if among > 1 else 1.0
                if chance < CHANCE:
                    yield _unexplained(truth, names, each, chance)
            elif truth.connections >= LEAST:
                yield _by_policy(truth, names, each)


def _may_choose(truth: ServiceTruth, row: Reached, replica: Replica, inside: frozenset[str]) -> bool:
    """Whether the policy lets what came in there reach this replica."""
    policy = truth.internal_policy if row.client in inside else truth.external_policy
    return policy != "Local" or not row.entry or row.entry == replica.node


def _choices(truth: ServiceTruth, rows: list[Reached]) -> int:
    """How often a replica was chosen: with affinity once for each client at each node."""
    if truth.affinity_seconds:
        return len({(row.client, row.seen, row.entry, row.front) for row in rows})
    return sum(row.connections for row in rows)


def _unexplained(truth: ServiceTruth, names: Names, replica: Replica, chance: float) -> Finding:
    return Finding(
        ID,
        "warning",
        f"{wording.host(names, replica.address)} is a ready endpoint of {told.service(truth)} and got "
        "nothing, "
        f"while others answered {told.connections(truth.connections)}; by chance that happens in "
        f"{wording.share(chance, 1)} of cases.",
        {**_about(truth, replica), "chance": chance},
        _filter(truth, replica),
        None,
        "Look whether kube-proxy on the nodes where clients come in knows the endpoint, whether a "
        "NetworkPolicy "
        "keeps them away, and whether clients choose their pods themselves.",
    )


def _by_policy(truth: ServiceTruth, names: Names, replica: Replica) -> Finding:
    field = "externalTrafficPolicy" if truth.external_policy == "Local" else "internalTrafficPolicy"
    return Finding(
        ID,
        "info",
        f"{wording.host(names, replica.address)} is a ready endpoint of {told.service(truth)} and got "
        "nothing: "
        f"nobody came in at its node {wording.quoted(replica.node)}, and with `{field}: Local` only that "
        "node's "
        "clients reach it.",
        {**_about(truth, replica), "field": f"spec.{field}"},
        _filter(truth, replica),
        None,
        "Let the load balancer or the clients ask that node, too, or run the replica where they ask.",
    )


def _filter(truth: ServiceTruth, replica: Replica) -> str:
    return told.arriving(truth, replica.address, (replica.address,))


def _about(truth: ServiceTruth, replica: Replica) -> dict[str, float | int | str]:
    return {
        "service": truth.name,
        "replica": replica.pod or replica.address,
        "node": replica.node,
        "times": truth.connections,
    }
