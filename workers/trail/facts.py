"""What the trail is to know of a capture before its first packet: where, why there, within what. Pure."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from workers.cluster.pod import Pod
from workers.spool.spool import SpoolLimits
from workers.tap.evidence import Evidence
from workers.tap.seat import seat
from workers.tap.tap import INSIDE, Tap


def tapped(
    pod: Pod, tap: Tap, evidence: Evidence, wanted: str, limits: SpoolLimits, agent: Pod
) -> dict[str, Any]:
    """The facts at the moment before tcpdump is started.

    Args:
        pod: The captured pod.
        tap: Where its packets are taken.
        evidence: What that was decided from.
        wanted: The filter asked for.
        limits: When the capture ends by itself.
        agent: The agent pod, running.
    """
    place = seat(evidence, pod)
    pid = None if place is None else place.pid
    return {
        "pod_uid": pod.uid,
        "pod_ips": list(pod.ips),
        "node": tap.node,
        "interface": tap.interface,
        "ifindex": tap.ifindex,
        "netns_id": tap.netns_id,
        "netns_inode": evidence.inodes.get(pid or 0),
        "netns_mark": evidence.marks.get(pid or 0),
        "process": pid,
        "process_started": next((one.started for one in evidence.processes if one.pid == pid), None),
        "method": tap.method,
        "proof": list(tap.proof),
        "confidence": tap.confidence,
        "filter_compiled": tap.filter(wanted),
        "limits": asdict(limits),
        "agent_pod": f"{agent.namespace}/{agent.name}",
        "agent_image": dict(agent.images),
    }


def tapped_at_uplink(tap: Tap, wanted: str, limits: SpoolLimits, agent: Pod) -> dict[str, Any]:
    """`tapped`, of a node's uplink."""
    return {
        "node": tap.node,
        "interface": tap.interface,
        "ifindex": tap.ifindex,
        "method": tap.method,
        "proof": list(tap.proof),
        "confidence": tap.confidence,
        "filter_compiled": tap.filter(wanted),
        "limits": asdict(limits),
        "agent_pod": f"{agent.namespace}/{agent.name}",
        "agent_image": dict(agent.images),
    }


def tap_of(facts: Mapping[str, Any]) -> Tap:
    """The tap that `tapped` wrote down; what it is narrowed by is known as the compiled filter alone."""
    inside = facts["method"] == INSIDE
    return Tap(
        node=facts["node"],
        interface=facts["interface"],
        ifindex=facts["ifindex"],
        method=facts["method"],
        proof=tuple(facts["proof"]),
        confidence=facts["confidence"],
        netns_id=facts["netns_id"],
        pid=facts["process"] if inside else None,
        started=facts["process_started"] if inside else None,
    )
