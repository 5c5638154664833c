"""Findings of one tap that those between vantage points explain better. Pure."""

from collections.abc import Iterable, Mapping

from workers.summary.finding import Finding
from workers.summary.findings import refused, reset, unanswered
from workers.vantage.findings import lost_between, reset_between

_BETTER = {
    unanswered.ID: lost_between.ID,
    refused.ID: reset_between.ID,
    reset.ID: reset_between.ID,
}


def without_explained(others: Iterable[Finding], tap: str, between: Iterable[Finding]) -> tuple[Finding, ...]:
    """The others but those of which it is known where on the way it happened.

    A server is no longer said not to answer where its SYNs were lost before it, nor to refuse or reset what
    something before it did.

    Args:
        others: Of one tap.
        tap: That one's name, as its `Vantage` has it.
        between: Of all taps together.
    """
    known = {
        (each.id, each.numbers["address"]): float(each.numbers.get("connections", each.numbers["times"]))
        for each in between
        if "address" in each.numbers and tap == each.numbers["from" if each.id == lost_between.ID else "to"]
    }
    return tuple(each for each in others if not _is_explained(each, known))


def _is_explained(finding: Finding, known: Mapping[tuple[str, float | int | str], float]) -> bool:
    """Whether as many connections, or more, are known to have met with that on the way."""
    if finding.id not in _BETTER:
        return False
    better = known.get((_BETTER[finding.id], finding.numbers.get("address", "")))
    return better is not None and better >= float(finding.numbers["times"])
