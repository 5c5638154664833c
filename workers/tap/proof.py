"""What the node counted meanwhile, against what was captured: where they contradict each other. Pure.

The node is read some moments before tcpdump listens and again after it has ended, so it may have counted some
packets more than were captured; a contradiction is one that such packets cannot explain.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from workers.cluster.pod import Pod
from workers.request.quoting import inert
from workers.summary.finding import Finding
from workers.summary.summary import Summary
from workers.tap.counters import Counters
from workers.tap.evidence import Evidence
from workers.tap.tap import Tap

REPLACED, DIRECTION_MISSING, PAST_THE_INTERFACE = "pod-replaced", "direction-missing", "past-the-interface"
"""The ids of these findings."""

_TELLING = 10
"""So many packets in one direction and none captured are no matter of moments; fewer may be."""


@dataclass(frozen=True)
class Reading:
    """The tapped interface and the pod's processes at one moment.

    Attributes:
        link: Name, ifindex, peer index and namespace id of the tapped link; None when it is not there.
        node_side: What the tapped link has counted.
        pod_side: What the pod's own end had counted just before that and just after.
        processes: PID and start time of each process of the pod that was looked at.
        mark: The number of the pod's network namespace (`Evidence.marks`), where it is known.
    """

    link: tuple[str, int, int | None, int | None] | None
    node_side: Counters | None
    pod_side: tuple[Counters, Counters] | None
    processes: frozenset[tuple[int, int | None]]
    mark: int | None


@dataclass(frozen=True)
class Captured:
    """What the capture file holds.

    Attributes:
        packets: All of them.
        to_pod: Those of TCP and UDP to one of the pod's addresses.
        from_pod: Those of TCP and UDP from one of them.
        filter: The filter that was asked for, or "".
    """

    packets: int
    to_pod: int
    from_pod: int
    filter: str = ""

    @property
    def undirected(self) -> int:
        """Packets of which it was not counted where they went."""
        return self.packets - self.to_pod - self.from_pod


def captured(summary: Summary, pod: Pod, wanted: str) -> Captured:
    """What a summary counted, by direction; `wanted` is the filter that was asked for."""
    seen = [summary.hosts[address] for address in pod.ips if address in summary.hosts]
    to_pod, from_pod = sum(host.packets_got for host in seen), sum(host.packets_sent for host in seen)
    return Captured(summary.totals.packets, to_pod, from_pod, wanted)


@dataclass(frozen=True)
class Watched:
    """A capture's readings, and whose they are; `now` is the pod of that name afterwards, if there is one."""

    pod: Pod
    before: Reading
    after: Reading
    now: Pod | None

    @property
    def moved(self) -> int | None:
        """Packets that the tapped interface counted meanwhile, both ways; None when that is not known."""
        passed = _passed(self.before, self.after)
        return None if passed is None else sum(passed)

    def findings(self, summary: Summary, wanted: str) -> tuple[Finding, ...]:
        """What contradicts the capture; `wanted` is the filter that was asked for."""
        seen = captured(summary, self.pod, wanted)
        return tuple(contradictions(self.before, self.after, seen, self.pod, self.now))


def reading(evidence: Evidence, tap: Tap) -> Reading:
    """What is compared, from evidence of before or after."""
    links = [] if tap.pid is not None else [link for link in evidence.links if link.ifindex == tap.ifindex]
    link = links[0] if links else None
    sides = [_pod_side(evidence, pid, tap) for pid in _pids(evidence, tap)]
    marks = [evidence.marks[pid] for pid in _pids(evidence, tap) if pid in evidence.marks]
    return Reading(
        link=(link.name, link.ifindex, link.peer_index, link.netns_id) if link else None,
        node_side=link.counters if link else None,
        pod_side=next((side for side in sides if side is not None), None),
        processes=frozenset(
            (one.pid, one.started) for one in evidence.processes if one.pid in evidence.namespaces
        ),
        mark=marks[0] if marks else None,
    )


def contradictions(
    before: Reading, after: Reading, seen: Captured, pod: Pod, now: Pod | None
) -> Iterator[Finding]:
    """Findings (docs/findings.md); none when everything agrees.

    That nothing was captured at all is found where the packets are read (`nothing-captured`).

    Args:
        before: Read before the first packet.
        after: Read after the last one.
        seen: What the capture file holds.
        pod: The pod that was asked for.
        now: Who bears its name after the capture; None when nobody does.
    """
    yield from _identity(before, after, pod, now)
    passed = _passed(before, after)
    if passed is not None:
        to_pod, from_pod = passed
        yield from _missing(seen, to_pod, from_pod)
    yield from _past_the_node(before, after)


def _identity(before: Reading, after: Reading, pod: Pod, now: Pod | None) -> Iterator[Finding]:
    if now is None:
        yield _replaced(f"Pod {pod.name} was deleted while it was captured.")
    elif now.uid != pod.uid:
        yield _replaced(
            f"Pod {pod.name} was recreated while it was captured: the packets are those of the one before."
        )
    elif before.processes and not before.processes & after.processes:
        yield _replaced(f"No process of pod {pod.name} lived through the capture: it was started anew.")
    elif before.mark is not None and after.mark not in (before.mark, None):
        yield _replaced(f"The network namespace of pod {pod.name} was replaced while it was captured.")
    elif before.link is not None and before.link != after.link:
        name = inert(before.link[0])
        yield _replaced(
            f"Interface {name} was replaced while it was captured: packets after that are missing."
        )


def _replaced(sentence: str) -> Finding:
    return Finding(
        REPLACED, "warning", sentence, next="Capture again: `kubectl describe pod` says why it was replaced."
    )


def _passed(before: Reading, after: Reading) -> tuple[int, int] | None:
    """Packets to and from the pod between both readings; None where the interface is not the same."""
    if before.node_side and after.node_side and before.link == after.link:
        here = after.node_side.since(before.node_side)
        return (here.sent, here.received) if here else None
    if before.pod_side and after.pod_side and before.link is None:
        there = after.pod_side[0].since(before.pod_side[1])
        return (there.received, there.sent) if there else None
    return None


def _missing(seen: Captured, to_pod: int, from_pod: int) -> Iterator[Finding]:
    if seen.filter or not seen.packets:
        return
    # Where most packets are of neither TCP nor UDP, nothing is known of directions.
    if seen.to_pod == 0 and seen.from_pod > seen.undirected and to_pod - seen.undirected >= _TELLING:
        yield _one_direction(to_pod, "went to the pod")
    if seen.from_pod == 0 and seen.to_pod > seen.undirected and from_pod - seen.undirected >= _TELLING:
        yield _one_direction(from_pod, "left the pod")


def _one_direction(packets: int, went: str) -> Finding:
    return Finding(
        DIRECTION_MISSING,
        "critical",
        f"{packets} packets {went}, none of them was captured: one direction is missing.",
        {"times": packets},
        next="Do not judge by missing answers here; ask whoever runs podcap to allow `namespace_tap: true`.",
    )


def _past_the_node(before: Reading, after: Reading) -> Iterator[Finding]:
    if not (before.node_side and after.node_side and before.pod_side and after.pod_side):
        return
    here = after.node_side.since(before.node_side)
    # The least that the pod can have counted between both readings of the node's side.
    there = after.pod_side[0].received - before.pod_side[1].received
    if here is not None and there > here.sent:
        yield Finding(
            PAST_THE_INTERFACE,
            "critical",
            f"{there - here.sent} packets reached the pod past its interface on the node and are missing.",
            {"times": there - here.sent},
            next="Ask whoever runs podcap to allow `namespace_tap: true` in the policy, and capture again.",
        )


def _pids(evidence: Evidence, tap: Tap) -> list[int]:
    """Processes in the pod's network namespace, as far as that is known."""
    if tap.pid is not None:
        return [tap.pid] if tap.pid in evidence.namespaces else []
    return [pid for pid, netns_id in evidence.netns_ids.items() if netns_id == tap.netns_id is not None]


def _pod_side(evidence: Evidence, pid: int, tap: Tap) -> tuple[Counters, Counters] | None:
    inside = evidence.namespaces.get(pid)
    if inside is None:
        return None
    peer = next((link.peer_index for link in evidence.links if link.ifindex == tap.ifindex), None)
    index = tap.ifindex if tap.pid is not None else peer
    names = [name for name, found in inside.indexes.items() if found == index]
    if len(names) != 1 or names[0] not in inside.counters or names[0] not in evidence.later.get(pid, {}):
        return None
    return inside.counters[names[0]], evidence.later[pid][names[0]]
