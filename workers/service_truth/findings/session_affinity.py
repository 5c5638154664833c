"""Clients that `sessionAffinity: ClientIP` kept at one replica, or did not. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from workers.names.names import Names
from workers.service_truth.findings import told
from workers.service_truth.truth import Bound, ServiceTruth
from workers.summary.finding import Finding
from workers.summary.findings import wording
from workers.summary.table import span
from workers.thread.words import count

KEPT, BROKEN = "affinity-kept", "affinity-broken"
_MOST = 3


def find(truth: ServiceTruth, names: Names) -> Iterator[Finding]:
    """One for the clients that stayed, one for each of the first few that did not."""
    broken = [each for each in truth.affinity if each.kept == "broken"]
    for each in broken[:_MOST]:
        yield _broken(truth, names, each, len(broken))
    kept = [each for each in truth.affinity if each.kept == "kept"]
    if kept and not broken:
        yield _kept(truth, names, kept)


def _kept(truth: ServiceTruth, names: Names, kept: list[Bound]) -> Finding:
    who = list(dict.fromkeys(each.client for each in kept))
    times = sum(each.connections for each in kept)
    opened = (
        f"all connections that {wording.host(names, who[0])} opened through the same node"
        if len(who) == 1
        else f"all connections that each of {count(len(who), 'client')} opened through the same node"
    )
    moved = any(len(each.replicas) > 1 for each in kept)
    until = " until the timeout was over" if moved else ""
    unknown = sum(each.connections for each in truth.affinity if each.kept == "unknown")
    return Finding(
        KEPT,
        "info",
        f"`sessionAffinity: ClientIP` of {told.service(truth)} was kept: {opened} went to the same "
        f"replica{until} ({times:,} in all).{_by_several_nodes(truth, names)}",
        {
            "service": truth.name,
            "times": times,
            "clients": len(who),
            "seconds": truth.affinity_seconds,
            "unknown": unknown,
        },
        told.arriving(truth, _seen(truth, kept[0]), kept[0].replicas),
    )


def _by_several_nodes(truth: ServiceTruth, names: Names) -> str:
    """Why a client is at two replicas all the same."""
    met: dict[str, list[Bound]] = defaultdict(list)
    for each in truth.affinity:
        if each.kept in ("kept", "untested") and each.client:
            met[each.client].append(each)
    for client, bounds in met.items():
        replicas = {replica for each in bounds for replica in each.replicas}
        nodes = sorted({each.entry for each in bounds})
        if len(replicas) > 1 and len(nodes) > 1:
            named = wording.some(Counter(map(wording.quoted, nodes)), numbers=False)
            return (
                f" {wording.host(names, client)} came in at {named} and so reached "
                f"{count(len(replicas), 'replica')}: each node's kube-proxy remembers for itself."
            )
    return ""


def _broken(truth: ServiceTruth, names: Names, bound: Bound, times: int) -> Finding:
    replicas = " and ".join(wording.host(names, each) for each in bound.replicas[:_MOST])
    doubt = "" if bound.front else " (unless it asked the pods themselves)"
    front = f" by {wording.quoted(bound.front)}" if bound.front else ""
    return Finding(
        BROKEN,
        "warning",
        f"`sessionAffinity: ClientIP` of {told.service(truth)} was broken: "
        f"{wording.host(names, bound.client)} came "
        f"in at node {wording.quoted(bound.entry)}{front} and reached "
        f"{count(len(bound.replicas), 'replica')}, "
        f"{replicas}, {span(bound.seconds)} apart, although a client is to stay for "
        f"{truth.affinity_seconds:,} s{doubt}.",
        {
            "service": truth.name,
            "client": bound.client,
            "node": bound.entry,
            "times": bound.connections,
            "clients": times,
            "replicas": len(bound.replicas),
            "seconds": truth.affinity_seconds,
            "apart": bound.seconds,
        },
        told.arriving(truth, _seen(truth, bound), bound.replicas),
        None,
        "Look whether endpoints came or went meanwhile, whether kube-proxy restarted on that node, and in "
        "its "
        "iptables mode whether more than 100 clients came (`ip_list_tot` of the kernel's `xt_recent`).",
    )


def _seen(truth: ServiceTruth, bound: Bound) -> str:
    """The client's address as its replicas see it."""
    return next(
        (
            row.seen
            for row in truth.reached
            if (row.client, row.entry, row.front) == (bound.client, bound.entry, bound.front)
        ),
        bound.client,
    )
