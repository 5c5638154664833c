"""Failed requests that several taps saw: told where they arrived, with who saw them before. Pure.

A client's tap sees them asked of a Service, the pod's of the pod; each tap's own summary tells of them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from workers.summary.endpoint import Endpoint
from workers.summary.exchange import CallExchange, Exchange, HttpExchange
from workers.summary.finding import Finding
from workers.summary.findings import call_failure, grpc_failure, http_status, request_unanswered
from workers.summary.summary import Summary
from workers.vantage.comparison import Comparison
from workers.vantage.passage import Passage, Stop

Before = Mapping[tuple[str, str], Sequence[int]]
"""Numbers of the taps that saw the same before, by a finding's id and sentence."""


_About = tuple[str, str, object]
"""A finding's id, its server and the status or error it is about."""


class Told(NamedTuple):
    """The findings that are left.

    Attributes:
        findings: Of each tap.
        before: Which other taps saw the requests of some of them.
    """

    findings: list[tuple[Finding, ...]]
    before: Before


def where_they_arrived(
    findings: Sequence[Sequence[Finding]], summaries: Sequence[Summary | None], comparison: Comparison
) -> Told:
    """Leaves out what is told of the same requests by a tap nearer to their server.

    That is so where each of them is known to have come to a tap that tells of the server there as well.

    Args:
        findings: Of each tap, by its number among the vantage points.
        summaries: Likewise; None where there is none.
        comparison: Of all.
    """
    told = [{_about(each): each for each in some if each.id in _IS_OF} for some in findings]
    origins = comparison.origins()
    before: dict[tuple[str, str], list[int]] = defaultdict(list)
    left: list[tuple[Finding, ...]] = []
    for tap, (some, summary) in enumerate(zip(findings, summaries, strict=True)):
        kept = []
        for finding in some:
            arrived = [] if summary is None else _arrived(finding, tap, summary, told, origins)
            for other in arrived:
                if tap not in before[other.id, other.sentence]:
                    before[other.id, other.sentence].append(tap)
            if not arrived:
                kept.append(finding)
        left.append(tuple(kept))
    return Told(left, before)


def _arrived(
    finding: Finding,
    tap: int,
    summary: Summary,
    told: Sequence[Mapping[_About, Finding]],
    origins: Mapping[tuple[int, Endpoint, Endpoint], Passage],
) -> list[Finding]:
    """What taps nearer to the servers tell of all its requests; nothing where one is not known to be told."""
    is_of = _IS_OF.get(finding.id)
    if is_of is None:
        return []
    id_, address, what = _about(finding)
    others: dict[str, Finding] = {}
    for exchange in summary.exchanges:
        if str(exchange.server) != address or not is_of(finding, exchange):
            continue
        passage = origins.get((tap, exchange.client, exchange.server))
        stops = () if passage is None else _behind(passage, tap)
        other = next(
            (found for stop in stops if (found := told[stop.vantage].get((id_, str(stop.server), what)))),
            None,
        )
        if other is None:
            return []
        others[other.sentence] = other
    # The same words are said once already.
    return [] if finding.sentence in others else list(others.values())


def _about(finding: Finding) -> _About:
    numbers = finding.numbers
    return finding.id, str(numbers.get("address")), numbers.get("status", numbers.get("error"))


def _behind(passage: Passage, tap: int) -> Iterator[Stop]:
    """Stops of other taps nearer to the server, the nearest first."""
    for stop in reversed(passage.stops):
        if stop.vantage == tap:
            return
        yield stop


def _status(kind: int) -> Callable[[Finding, Exchange], bool]:
    return lambda _, each: isinstance(each, HttpExchange) and (each.status or 0) // 100 == kind


def _grpc(finding: Finding, each: Exchange) -> bool:
    return isinstance(each, HttpExchange) and each.grpc_status == finding.numbers["status"]


def _call(finding: Finding, each: Exchange) -> bool:
    return isinstance(each, CallExchange) and each.error == finding.numbers["error"]


def _unanswered(_: Finding, each: Exchange) -> bool:
    if isinstance(each, HttpExchange):
        return each.status is None and not each.unread
    return isinstance(each, CallExchange) and each.seconds is None and not each.unread


_IS_OF: Mapping[str, Callable[[Finding, Exchange], bool]] = {
    http_status.SERVER: _status(5),
    http_status.CLIENT: _status(4),
    grpc_failure.ID: _grpc,
    call_failure.ID: _call,
    request_unanswered.ID: _unanswered,
}
"""Whether a request is one of those that a finding tells of."""
