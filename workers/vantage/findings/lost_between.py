"""Packets that left one vantage point and never came to the next. Pure."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from workers.summary.finding import Finding, Severity
from workers.summary.findings import wording
from workers.thread.words import count
from workers.vantage.absent import Absence
from workers.vantage.findings.between import Between, shown
from workers.vantage.passage import Direction, Passage, Stop, Way

ID = "lost-between"

_GRAVE, _SHARE = 3, 0.01
"""From so many lost packets on, or such a share, it is a warning."""

_DIRECTIONS: tuple[Direction, Direction] = ("forward", "back")


class _Loss(NamedTuple):
    passage: Passage
    enter: Stop
    leave: Stop
    way: Way


def find(between: Between) -> Iterator[Finding]:
    """One for connections that never came, by destination; one for each part of the way that lost others."""
    never: dict[tuple[str, int, int, str], list[Absence]] = defaultdict(list)
    for each in between.absences:
        if each.reset_frame is None:
            server = between.names.shown(*each.stop.server)
            never[each.protocol, each.stop.vantage, each.next, server].append(each)
    for (_, near, far, server), absences in never.items():
        yield _never_came(between, near, far, server, absences)
    ways: dict[tuple[str, int, int], list[_Loss]] = defaultdict(list)
    for passage in between.passages:
        for loss in _losses(passage):
            ways[passage.protocol, loss.enter.vantage, loss.leave.vantage].append(loss)
    for (protocol, near, far), losses in ways.items():
        if any(loss.way.lost for loss in losses):
            yield _lost(between, protocol, near, far, losses)


def _losses(passage: Passage) -> Iterator[_Loss]:
    for place, segment in enumerate(passage.segments):
        ends = passage.stops[place], passage.stops[place + 1]
        for direction in _DIRECTIONS:
            enter, leave = ends if direction == "forward" else ends[::-1]
            way = segment.way(direction)
            if way.judged:
                yield _Loss(passage, enter, leave, way)


def _never_came(between: Between, near: int, far: int, server: str, absences: list[Absence]) -> Finding:
    first = min(absences, key=lambda each: each.frame)
    packets, syns = sum(each.packets for each in absences), sum(each.syns for each in absences)
    what = count(syns, "SYN") if syns == packets else count(packets, "packet")
    noun = "ping" if first.protocol == "ICMP" else "connection"
    destination = (
        between.vantage(far) if len(first.awaited) == 1 or far not in first.awaited else "any of its pods"
    )
    return Finding(
        ID,
        "critical" if first.protocol == "TCP" else "warning",
        f"{what} of {count(len(absences), noun)} to {wording.quoted(server)} left {between.vantage(near)} "
        f"and never reached {destination}: {'it was' if packets == 1 else 'they were'} lost "
        f"{between.where(near, far)}.",
        {
            "times": packets,
            "server": server,
            "connections": len(absences),
            "clients": len({each.stop.client.address for each in absences}),
            "from": between.vantages[near].name,
            "to": between.vantages[far].name,
        },
        shown(first.frame, first.protocol, (each.stop for each in absences)),
        first.frame,
        _next(between, near, far),
    )


def _lost(between: Between, protocol: str, near: int, far: int, losses: list[_Loss]) -> Finding:
    losing = [loss for loss in losses if loss.way.lost]
    lost, judged = sum(loss.way.lost for loss in losing), sum(loss.way.judged for loss in losses)
    frame = min(loss.way.lost_frame or 0 for loss in losing)
    grave = lost >= _GRAVE or lost / judged >= _SHARE
    severity: Severity = "warning" if grave else "info"
    return Finding(
        ID,
        severity,
        f"{count(lost, f'{protocol} packet')} of {judged:,} ({wording.share(lost, judged)}) left "
        f"{between.vantage(near)} and never reached {between.vantage(far)}, in "
        f"{count(len(losing), 'connection')}: {'it was' if lost == 1 else 'they were'} lost "
        f"{between.where(near, far)}.",
        {
            "times": lost,
            "judged": judged,
            "connections": len(losing),
            "clients": len({loss.passage.origin.client.address for loss in losing}),
            "from": between.vantages[near].name,
            "to": between.vantages[far].name,
        },
        shown(frame, protocol, (stop for loss in losing for stop in (loss.enter, loss.leave))),
        frame,
        _next(between, near, far),
    )


def _next(between: Between, near: int, far: int) -> str:
    if between.one_node(near, far):
        return (
            "Look on that node for NetworkPolicies, firewall rules (`nft list ruleset`, `iptables-save`) and "
            "routes between the two interfaces."
        )
    nodes = [between.vantages[number].node for number in (near, far)]
    uplinks = {each.node for each in between.vantages if each.kind == "uplink"}
    if uplinks.issuperset(nodes):
        return "Look at the network between the two nodes: firewalls, security groups, switches, its MTU."
    asked = " ".join(f"node/{node}" for node in nodes if node not in uplinks)
    return (
        "Look for NetworkPolicies and firewalls on both nodes and between them; capturing their uplinks, too "
        f"({wording.quoted(asked)}), shows on which."
    )
