"""Connections that were reset by neither end, but by something between two vantage points. Pure."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from workers.summary.finding import Finding
from workers.summary.findings import wording
from workers.thread.words import count
from workers.vantage.findings.between import Between, shown
from workers.vantage.passage import Passage, Stop

ID = "reset-between"


class _Reset(NamedTuple):
    stops: tuple[Stop, ...]
    at: Stop
    frame: int
    refused: bool


def find(between: Between) -> Iterator[Finding]:
    """One for each vantage point that got resets, the one that never sent them, and the server."""
    found: dict[tuple[int, int, str, bool], list[_Reset]] = defaultdict(list)
    for each in between.absences:
        if each.reset_frame is not None:
            server = between.names.shown(*each.stop.server)
            reset = _Reset((each.stop,), each.stop, each.reset_frame, refused=True)
            found[each.next, each.stop.vantage, server, True].append(reset)
    for passage in between.passages:
        for sent, got, reset in _resets(passage):
            server = between.names.shown(*reset.at.server)
            found[sent, got, server, False].append(reset)
    for (sent, got, server, refused), resets in found.items():
        yield _finding(between, sent, got, server, resets, refused=refused)


def _resets(passage: Passage) -> Iterator[tuple[int, int, _Reset]]:
    """Vantage points that never had it and that got it, and the reset."""
    for place, segment in enumerate(passage.segments):
        near, far = passage.stops[place], passage.stops[place + 1]
        for way, enter, leave in ((segment.forward, near, far), (segment.back, far, near)):
            if way.reset_frame is not None:
                reset = _Reset((near, far), leave, way.reset_frame, refused=False)
                yield enter.vantage, leave.vantage, reset


def _finding(
    between: Between, sent: int, got: int, server: str, resets: list[_Reset], *, refused: bool
) -> Finding:
    frame = min(each.frame for each in resets)
    often = count(len(resets), "connection")
    clients = {each.stops[0].client.address for each in resets}
    never = (
        f"which never reached {between.vantage(sent)}"
        if refused
        else f"that {between.vantage(sent)} never sent"
    )
    said = (
        f"{often} from {between.vantage(got)} to {wording.quoted(server)}, {never}, "
        f"{'was' if len(resets) == 1 else 'were'} answered with a reset"
        if refused
        else f"{between.vantage(got)} got resets of {often} to {wording.quoted(server)} {never}"
    )
    return Finding(
        ID,
        "critical" if refused else "warning",
        f"{said}: something {between.where(sent, got)} made {'it' if len(resets) == 1 else 'them'}.",
        {
            "times": len(resets),
            "clients": len(clients),
            "from": between.vantages[sent].name,
            "to": between.vantages[got].name,
        },
        shown(frame, "TCP", (stop for each in resets for stop in each.stops)),
        frame,
        "Look there for a NetworkPolicy or firewall rule that rejects, a proxy, or a connection tracker that "
        "forgot the connection (idle timeouts).",
    )
