"""By which way clients came to a Service's replicas, and which of its fields made it so. Pure.

With `externalTrafficPolicy: Cluster` a node replaces the address of a client from outside by its own, with
`Local` it does not and only the node's own endpoints answer (Kubernetes, "Using Source IP"). For the
cluster's own clients `internalTrafficPolicy` says whether endpoints of other nodes answer.
"""

from collections.abc import Iterator

from workers.names.names import Names
from workers.service_truth.findings import told
from workers.service_truth.truth import UNKNOWN, Reached, ServiceTruth, TurnedAway
from workers.summary.endpoint import Endpoint
from workers.summary.finding import Finding
from workers.summary.findings import wording
from workers.thread.words import count

ID = "service-path"


def find(truth: ServiceTruth, names: Names, inside: frozenset[str], own: frozenset[str]) -> Iterator[Finding]:
    """What the policies did; at most one for those who were turned away for the same reason at a node.

    Args:
        truth: Of one port of a Service.
        names: Of the cluster.
        inside: Addresses of pods and nodes.
        own: The Service's cluster addresses.
    """
    yield from _turned_away(truth, names)
    came = [row for row in truth.reached if row.seen]
    outside = [row for row in came if row.client not in inside and not _asked(row, own)]
    if truth.external_policy == "Cluster":
        rewritten = [row for row in outside if row.client != UNKNOWN and row.is_rewritten]
        unknown = [row for row in outside if row.client == UNKNOWN]
        if rewritten:
            yield _rewritten(truth, names, rewritten, unknown)
        elif unknown:
            yield _unknown(truth, unknown)
    elif truth.external_policy == "Local":
        seen = [row for row in outside if row.client == row.seen]
        if seen:
            yield _seen(truth, names, seen)
    within = [row for row in came if row.proven and row.client in inside and _asked(row, own)]
    if within:
        yield _within(truth, within)


def _asked(row: Reached, own: frozenset[str]) -> bool:
    return bool(row.front) and Endpoint.parse(row.front).address in own


def _rewritten(truth: ServiceTruth, names: Names, rows: list[Reached], unknown: list[Reached]) -> Finding:
    row = min(rows, key=lambda each: (each.frame is None, each.frame or 0))
    total = sum(each.connections for each in rows)
    who = len({each.client for each in rows})
    more = ""
    if len(rows) > 1:
        all_of = f"{told.connections(total)} of {count(who, 'client')}"
        more = f" In all {all_of} came in that way, at {told.entries(rows)}."
    rest = sum(each.connections for each in unknown)
    if rest:
        more += f" Of {rest:,} more the client was not seen."
    return Finding(
        ID,
        "warning",
        f"Client {wording.host(names, row.client)} appears at the pod {wording.host(names, row.replica)} as "
        f"{wording.quoted(row.seen)}: {told.service(truth)} has `externalTrafficPolicy: Cluster`, so that "
        "node "
        f"{wording.quoted(row.entry)}, where it came in, puts its own address in place of the "
        f"client's.{more}",
        {
            **_about(truth, rows),
            "field": "spec.externalTrafficPolicy",
            "value": "Cluster",
            "client": row.client,
            "seen": row.seen,
            "unknown": rest,
        },
        told.from_frame(row.frame, told.way(truth, row)),
        row.frame,
        f"Set `externalTrafficPolicy: Local` on {told.service(truth)} if its pods must see their clients "
        "(then "
        "only nodes with a ready pod answer); behind an HTTP proxy read `X-Forwarded-For` instead.",
    )


def _unknown(truth: ServiceTruth, rows: list[Reached]) -> Finding:
    total = sum(each.connections for each in rows)
    certain = any(each.certain for each in rows)
    doubt = "" if certain else " (or processes on those nodes themselves ask)"
    return Finding(
        ID,
        "warning",
        f"Who the clients of {told.service(truth)} are cannot be seen: {told.connections(total)} came to its "
        f"pods from addresses of the nodes at which they came in, {told.entries(rows)}, because the Service "
        f"has `externalTrafficPolicy: Cluster`{doubt}.",
        {
            **_about(truth, rows),
            "clients": 0,
            "field": "spec.externalTrafficPolicy",
            "value": "Cluster",
            "unknown": total,
            "certain": int(certain),
        },
        told.way(truth, rows[0]),
        None,
        _to_see_them(truth),
    )


def _to_see_them(truth: ServiceTruth) -> str:
    if truth.uplinks:
        port = f"node port {truth.node_port}" if truth.node_port else "the Service's own address"
        return (
            f"At the nodes' uplinks clients ask for {port}: capture with a filter that lets it through, or "
            "without one."
        )
    return (
        f"Capture `{truth.port.namespace}/svc/{truth.port.service}` with the nodes' uplinks (`uplinks: true` "
        "in the policy) to see them, or set `externalTrafficPolicy: Local`."
    )


def _seen(truth: ServiceTruth, names: Names, rows: list[Reached]) -> Finding:
    total = sum(each.connections for each in rows)
    return Finding(
        ID,
        "info",
        f"The pods of {told.service(truth)} see who their clients are: {told.connections(total)} of "
        f"{told.clients(names, rows)} came in at {told.entries(rows)} with the client's own address, as "
        "`externalTrafficPolicy: Local` wants.",
        {**_about(truth, rows), "field": "spec.externalTrafficPolicy", "value": "Local"},
        told.from_frame(rows[0].frame, told.way(truth, rows[0])),
        rows[0].frame,
    )


def _within(truth: ServiceTruth, rows: list[Reached]) -> Finding:
    nodes = {each.address: each.node for each in truth.replicas}
    total = sum(each.connections for each in rows)
    crossed = sum(each.connections for each in rows if nodes.get(each.replica) != each.entry)
    policy = truth.internal_policy
    stayed = (
        "all of them were answered on the node that they came from"
        if not crossed
        else f"{crossed:,} of them were answered on another node than they came from"
    )
    return Finding(
        ID,
        "info",
        f"Pods of the cluster opened {told.connections(total)} to {told.service(truth)}; {stayed} "
        f"(`internalTrafficPolicy: {policy}`).",
        {**_about(truth, rows), "field": "spec.internalTrafficPolicy", "value": policy, "crossed": crossed},
        told.from_frame(rows[0].frame, told.way(truth, rows[0])),
        rows[0].frame,
    )


def _turned_away(truth: ServiceTruth, names: Names) -> Iterator[Finding]:
    alike: dict[tuple[str, str], list[TurnedAway]] = {}
    for each in truth.turned_away:
        alike.setdefault((each.why, each.entry if each.why != "no-endpoint" else ""), []).append(each)
    for met in alike.values():
        yield _refusing(truth, names, met)


def _refusing(truth: ServiceTruth, names: Names, met: list[TurnedAway]) -> Finding:
    first = met[0]
    total = sum(each.connections for each in met)
    who = ", ".join(dict.fromkeys(wording.host(names, each.client) for each in met[:3]))
    others = len({each.client for each in met} - {each.client for each in met[:3]})
    who += f" and {count(others, 'other')}" if others else ""
    failed = f"{told.connections(total)} of {who} to {wording.quoted(first.front)} got no answer"
    if first.why == "no-endpoint":
        sentence = (
            f"Nobody answers for {told.service(truth)}: {failed}, because none of its endpoints is ready."
        )
        following = "Look why its pods are not ready, and whether its selector fits their labels."
        field = "endpoints"
    else:
        field = "externalTrafficPolicy" if first.why == "external-local" else "internalTrafficPolicy"
        sentence = (
            f"Node {wording.quoted(first.entry)} turns clients of {told.service(truth)} away: {failed}, "
            "because "
            f"the Service has `{field}: Local` and no ready endpoint is on that node."
        )
        following = (
            "Let the load balancer ask only nodes with a ready pod (`healthCheckNodePort`), run one on "
            "each node, "
            f"or set `{field}: Cluster`."
            if first.why == "external-local"
            else f"Run a replica on each node that has clients, or set `{field}: Cluster`."
        )
    return Finding(
        ID,
        "critical",
        sentence,
        {
            "service": truth.name,
            "times": total,
            "clients": len({each.client for each in met}),
            "field": field if field == "endpoints" else f"spec.{field}",
            "node": first.entry,
        },
        told.knocking(truth, first.client, first.front),
        None,
        following,
    )


def _about(truth: ServiceTruth, rows: list[Reached]) -> dict[str, float | int | str]:
    return {
        "service": truth.name,
        "port": truth.port.number,
        "times": sum(each.connections for each in rows),
        "clients": len({each.client for each in rows}),
        "nodes": ", ".join(sorted({each.entry for each in rows})),
        "replicas": len({each.replica for each in rows}),
    }
