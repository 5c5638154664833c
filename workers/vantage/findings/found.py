"""All findings between vantage points. Pure."""

from workers.summary.finding import Finding
from workers.summary.findings.ranking import in_order
from workers.vantage.findings import (
    clocks_apart,
    delayed_between,
    lost_between,
    reset_between,
    rewritten_between,
)
from workers.vantage.findings.between import Between

_MOST = 200

FOUND_BY = {
    lost_between.ID: lost_between.find,
    reset_between.ID: reset_between.find,
    delayed_between.ID: delayed_between.find,
    rewritten_between.ID: rewritten_between.find,
    clocks_apart.ID: clocks_apart.find,
}
"""Each finding's id, and what finds it; docs/findings.md says when."""


def found(between: Between) -> tuple[Finding, ...]:
    """The gravest of them, in their order; how many of a kind are shown is decided with those of the taps."""
    return tuple(in_order(each for find in FOUND_BY.values() for each in find(between))[:_MOST])
