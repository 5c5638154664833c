"""Metrics and traces of what this process commits: they are told from the trail, and change nothing."""

import logging

from sqlalchemy.exc import SQLAlchemyError

from workers import metrics
from workers.ledger.ledger import Ledger
from workers.settings import Settings
from workers.trace.export import Exporter, open_exporter
from workers.trail import log as committed
from workers.trail.entry import Entry
from workers.trail.trail import Wanted

log = logging.getLogger(__name__)


def measure(settings: Settings, ledger: Ledger) -> Exporter | None:
    """From now on this process counts its entries of the trail, and traces them when that is configured.

    Returns:
        What sends the traces, to be closed at the process's end; None when nothing is to be traced.
    """
    exporter = open_exporter(settings)

    def heard(entry: Entry) -> None:
        if entry.capture_id is None:
            return
        # A request is counted before its ack: then nothing is asked.
        story = [entry] if entry.event == "requested" else _story(ledger, entry)
        metrics.count(story)
        if exporter is not None:
            exporter.send(story)

    committed.listen(heard)
    return exporter


def _story(ledger: Ledger, entry: Entry) -> list[Entry]:
    """The capture's entries up to this one; it alone when the ledger does not answer."""
    try:
        entries = list(ledger.trail.entries(Wanted(capture_id=entry.capture_id)))
    except SQLAlchemyError as error:
        log.warning("a step is counted without its duration: %s", error)
        return [entry]
    return [one for one in entries if one.number <= entry.number]
