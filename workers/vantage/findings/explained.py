"""Findings of one tap that those between vantage points explain better. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator

from workers.summary.endpoint import Endpoint
from workers.summary.finding import Finding
from workers.summary.findings import refused, reset, unanswered
from workers.vantage.absent import Absence
from workers.vantage.comparison import Comparison, Explained
from workers.vantage.passage import Passage

_KINDS = (unanswered.ID, refused.ID, reset.ID)


def explained(absences: Iterable[Absence], passages: Iterable[Passage]) -> tuple[Explained, ...]:
    """What taps alone would blame on servers that had no part in it."""
    counted = Counter([*_never_came(absences), *_reset_on_the_way(passages)])
    return tuple(Explained(*each, number) for each, number in counted.items())


def _never_came(absences: Iterable[Absence]) -> Iterator[tuple[str, int, Endpoint]]:
    for each in absences:
        kind = unanswered.ID if each.reset_frame is None else refused.ID
        for stop in (*each.before, each.stop):
            yield kind, stop.vantage, stop.server


def _reset_on_the_way(passages: Iterable[Passage]) -> Iterator[tuple[str, int, Endpoint]]:
    """Of each connection, those who got a reset as from the server that had not sent it."""
    for passage in passages:
        for place, segment in enumerate(passage.segments):
            if segment.back.resets:
                yield from ((reset.ID, stop.vantage, stop.server) for stop in passage.stops[: place + 1])


def without_explained(others: Iterable[Finding], tap: int, comparison: Comparison) -> tuple[Finding, ...]:
    """Findings of one tap but those of which it is known where on the way it happened.

    A server is no longer said not to answer where its SYNs were lost before it, nor to refuse or reset what
    something before it did.

    Args:
        others: Of that tap.
        tap: Its number among the vantage points.
        comparison: Of all.
    """
    known = {
        (each.kind, str(each.server)): each.connections
        for each in comparison.explained
        if each.vantage == tap
    }

    def is_explained(finding: Finding) -> bool:
        """Whether all connections that it tells of met with that on the way."""
        key = finding.id, str(finding.numbers.get("address"))
        return finding.id in _KINDS and known.get(key, 0) >= float(finding.numbers["times"])

    return tuple(each for each in others if not is_explained(each))
