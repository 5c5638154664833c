"""What the taps of one capture say together: between them, and of the Services they are behind."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from workers.ledger.tap_record import TapKind
from workers.names.names import Names
from workers.names.snapshot import Snapshot
from workers.service_truth.findings.found import findings as service_findings
from workers.service_truth.sight import Sight
from workers.service_truth.table import truth_text
from workers.service_truth.told import doubted, service_truths
from workers.service_truth.truth import ServiceTruth
from workers.several.part import Part
from workers.summary.endpoint import Endpoint
from workers.summary.finding import Finding
from workers.vantage.compared import ComparedError, compared
from workers.vantage.comparison import Comparison
from workers.vantage.vantage import Vantage

log = logging.getLogger(__name__)

Endpoints = Callable[[Sequence[str]], Snapshot | None]

_SECOND = 10**9
_MOST_TABLES = 3
_AT_AN_ENTRANCE = frozenset({"refused", "unanswered", "dropped", "cut-short", "nothing-captured", "more"})


@dataclass(frozen=True)
class Together:
    """What all taps say.

    Attributes:
        comparison: What happened between them; None where they could not be compared.
        truths: What became of each Service's traffic.
        services: The findings about those.
        notes: What could not be said, and why.
    """

    comparison: Comparison | None
    truths: tuple[ServiceTruth, ...] = ()
    services: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


def vantage(number: int, part: Part, seconds: int) -> Vantage:
    """A tap as the comparison knows it; `seconds` is the capture's duration."""
    record = part.record
    began = record.began or 0
    return Vantage(
        number,
        f"uplink of {record.node}" if record.kind is TapKind.UPLINK else record.name,
        "uplink" if record.kind is TapKind.UPLINK else "pod",
        record.node or "",
        record.addresses,
        record.interface or "",
        began,
        began + seconds * _SECOND if began and record.ended_by == "duration" else None,
        record.dropped,
        part.compiled,
    )


def together(
    merged: Path, parts: Sequence[Part], snapshot: Snapshot, *, seconds: int, endpoints: Endpoints
) -> Together:
    """Holds the taps against each other.

    Args:
        merged: Their file.
        parts: The taps, by the number of their interface, summarised.
        snapshot: The cluster when the capture began.
        seconds: The capture's duration.
        endpoints: Asks the cluster for the endpoints of some namespaces as they are now.
    """
    vantages = [vantage(number, part, seconds) for number, part in enumerate(parts)]
    comparison, notes = None, list[str]()
    try:
        comparison = compared(merged, vantages, snapshot)
        notes += comparison.notes
    except ComparedError as error:
        log.warning("%s", error)
        notes.append(str(error))
    sights = [
        Sight(each, part.summary.visits, part.summary.totals.duration)
        for each, part in zip(vantages, parts, strict=True)
        if part.summary is not None
    ]
    truths = service_truths(sights, snapshot, comparison)
    namespaces = doubted(truths)
    if namespaces:
        truths = service_truths(sights, snapshot, comparison, later=endpoints(namespaces))
    found = service_findings(truths, snapshot, Names(snapshot))
    return Together(comparison, truths, found, tuple(notes))


def tables(truths: Sequence[ServiceTruth], names: Names) -> tuple[str, ...]:
    """The busiest Services' traffic as text; where nobody came to any, one of them."""
    busy = [truth for truth in truths if truth.was_asked] or truths[:1]
    return tuple(truth_text(truth, names) for truth in busy[:_MOST_TABLES])


def seen_elsewhere(comparison: Comparison | None) -> set[tuple[int, frozenset[Endpoint]]]:
    """Connections that are told of where they arrived, under other addresses than here.

    Returns:
        A vantage point's number and both ends, each.
    """
    if comparison is None:
        return set()
    return {
        (stop.vantage, frozenset((stop.client, stop.server)))
        for passage in comparison.passages
        for stop in passage.stops
        if {stop.client, stop.server} != {passage.destination.client, passage.destination.server}
    }


def of_its_own(part: Part) -> tuple[Finding, ...]:
    """What was found at one tap and is not said of the pods as well.

    Whatever passes a Service's entrance goes on to a pod, whose tap sees the same request; what does not
    arrive there is told by the comparison.
    """
    if part.summary is None:
        return ()
    entrance = part.record.kind is TapKind.UPLINK and part.record.filter
    return tuple(one for one in part.summary.findings if not entrance or one.id in _AT_AN_ENTRANCE)
