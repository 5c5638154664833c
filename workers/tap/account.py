"""The whole account of a tap: what the node said, what each method makes of it, what was left out. Pure."""

from collections.abc import Iterator

from workers.cluster.pod import Pod
from workers.tap.evidence import Evidence
from workers.tap.links import Link
from workers.tap.opinions import Opinion, opinions
from workers.tap.seat import PAIRS
from workers.tap.tap import NoTap, decide, explain

_METHODS = {
    "namespace": "the link that is paired with the interface in the pod's network namespace",
    "iflink": "the link that the pod's interface itself names as its other end",
    "forwarding": "the bridge port that the pod's MAC address was learned behind",
    "route": "the link that the node sends the pod's address alone through",
    "name": "a link called as a CNI plugin would call this pod's",
}


def account(evidence: Evidence, pod: Pod) -> Iterator[str]:
    """Lines of plain text; whatever the evidence, they end with the decision or the reason against one."""
    yield f"Pod {pod.namespace}/{pod.name} (uid {pod.uid}) on node {pod.node}, {', '.join(pod.ips)}"
    if pod.host_network:
        yield "It uses its node's network, so there is no link of its own to look for."
    else:
        yield from _looked_at(evidence, pod)
    yield f"Decided: {_decision(evidence, pod)}"


def _looked_at(evidence: Evidence, pod: Pod) -> Iterator[str]:
    pids = ", ".join(str(process.pid) for process in evidence.processes)
    yield f"Processes of the pod on its node: {pids or 'none'}"
    found = {opinion.method: opinion for opinion in opinions(evidence, pod)}
    for method, what in _METHODS.items():
        yield f"By {method} ({what}): {_said(found.get(method))}"
    chosen = {opinion.link.ifindex for opinion in found.values()}
    for link in evidence.links:
        if link.ifindex not in chosen:
            yield f"Excluded: {link.name} ({link.ifindex}), {_why_excluded(link, list(found.values()))}"
    for clause in evidence.missing:
        yield f"Not asked: {clause}"


def _said(opinion: Opinion | None) -> str:
    if opinion is None:
        return "finds nothing"
    return f"{opinion.link.name} ({opinion.link.ifindex}), {opinion.statement}"


def _why_excluded(link: Link, found: list[Opinion]) -> str:
    if link.kind not in PAIRS:
        return f"of kind {link.kind or 'hardware or loopback'}, not one end of a pair"
    same = any(opinion.link.peer_index == link.peer_index for opinion in found)
    where = "in the node's own namespace" if link.netns_id is None else f"in namespace id {link.netns_id}"
    peer = f"peer index {link.peer_index} {where}"
    return f"its {peer}: the same index in another namespace" if same else f"its {peer}"


def _decision(evidence: Evidence, pod: Pod) -> str:
    try:
        return explain(decide(evidence, pod, may_enter=True))
    except NoTap as error:
        return str(error)
