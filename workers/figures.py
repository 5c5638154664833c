"""What the ledger says, as metrics: read anew at each question of Prometheus, the same whoever is asked."""

import logging
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from workers.ledger.ledger import Ledger
from workers.ledger.standing import Standing

log = logging.getLogger(__name__)

_UP = "podcap_ledger_up", "Whether the ledger answered; when not, its other figures are left out."
_CAPTURES = "podcap_captures", "Captures in the ledger, by state."
_AGE = "podcap_queue_age_seconds", "How long the oldest capture that waits has waited; 0 when none does."
_UNSHOWN = "podcap_captures_unshown", "Captures that have ended and whose message does not show it yet."


class LedgerFigures(Collector):
    """Asks the ledger; register it in one registry."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The names, without asking."""
        yield GaugeMetricFamily(*_UP)
        yield GaugeMetricFamily(*_CAPTURES, labels=["state"])
        yield GaugeMetricFamily(*_AGE)
        yield GaugeMetricFamily(*_UNSHOWN)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The figures now."""
        try:
            standing: Standing | None = self._ledger.standing()
        except SQLAlchemyError as error:
            log.warning("the ledger gives no figures: %s", error)
            standing = None
        yield GaugeMetricFamily(*_UP, value=int(standing is not None))
        if standing is None:
            return
        captures = GaugeMetricFamily(*_CAPTURES, labels=["state"])
        for state, number in standing.captures.items():
            captures.add_metric([state], number)
        yield captures
        yield GaugeMetricFamily(*_AGE, value=standing.queue_age)
        yield GaugeMetricFamily(*_UNSHOWN, value=standing.unshown)
