"""Clients that a pod's access log names by a node's address, and who they were. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping

from workers.beside.beside import Around
from workers.pod_logs.aligned import Aligned
from workers.summary.finding import Finding
from workers.summary.findings import wording

ID = "log-names-a-node"

_PROBE = "kube-probe/"


def find(around: Around) -> Iterator[Finding]:
    """One for all pods whose logs name nodes' addresses in the place of their clients'."""
    nodes = {address for node in around.cluster.nodes for address in node.own_ips}
    named = {
        each.name: hidden
        for each in around.besides
        if (hidden := [one for one in around.aligned.get(each.number, ()) if _is_hidden(one, nodes)])
    }
    if named:
        yield _finding(around, named)


def _is_hidden(one: Aligned, nodes: set[str]) -> bool:
    client = one.line.access.client if one.line.access is not None else ""
    if _PROBE in one.line.text:
        return False
    # Without proof only an address that is a node's and that packets came from is told.
    return one.differs or (client in nodes and one.peer is not None and one.peer.address == client)


def _finding(around: Around, pods: Mapping[str, list[Aligned]]) -> Finding:
    named = [one for some in pods.values() for one in some]
    logged = Counter(one.line.access.client for one in named if one.line.access is not None)
    proven = [one.origin for one in named if one.origin is not None]
    unknown = len(named) - len(proven)
    addresses = wording.some(Counter({wording.quoted(address): times for address, times in logged.items()}))
    of = wording.some(Counter({wording.quoted(pod): len(some) for pod, some in pods.items()}))
    logs = f"log of {of} names" if len(pods) == 1 else f"logs of {of} name"
    requests = wording.many(len(named), "request")
    who = []
    if proven:
        clients = Counter(wording.host(around.names, origin.address) for origin in proven)
        proofs = Counter(origin.proof for origin in proven).most_common(2)
        how = " and ".join(wording.quoted(proof) for proof, _ in proofs)
        who.append(
            f"{'they' if len(proven) > 1 else 'it'} came from {wording.some(clients)} (shown by {how})"
        )
    if unknown:
        who.append(f"of {unknown:,} the client is unknown" if proven else "who the client was is unknown")
    return Finding(
        ID,
        "info",
        f"The {logs} {addresses} as the client of {requests}: {', and '.join(who)}.",
        {
            "times": len(named),
            "clients": len({origin.address for origin in proven}),
            "addresses": ", ".join(logged),
            "origins": ", ".join(dict.fromkeys(origin.address for origin in proven)),
            "unknown": unknown,
        },
        next="`service-path` (of one pod: `source-rewritten`) names the Service that hides them."
        if proven
        else "Capture every replica, or the nodes' uplinks as well: then the same packets are seen before "
        "they are rewritten.",
    )
