"""One tap's packets summarised, with what its node counted, and what Wireshark says of its findings."""

import logging
from dataclasses import replace
from pathlib import Path

from workers.dissection.dissected import DissectionError, dissected
from workers.summary.findings.ranking import joined
from workers.summary.summarise import summarise
from workers.summary.summary import Summary
from workers.tap.proof import Watched

log = logging.getLogger(__name__)


def summarised(path: Path, *, payload: bool, names: Path, seen: Watched | None, wanted: str) -> Summary:
    """A digest.

    Args:
        path: A capture file.
        payload: Whether packets are whole.
        names: A file with the `Context` as JSON.
        seen: What the node counted meanwhile, where that is known.
        wanted: The filter that was asked for.

    Raises:
        SummaryError: Nothing could be read.
    """
    summary = summarise(path, payload=payload, names=names, digest=True)
    if seen is not None:
        summary = replace(summary, findings=joined(summary.findings, seen.findings(summary, wanted)))
    try:
        return dissected(path, summary)
    except (DissectionError, OSError) as error:
        log.warning("the findings go without what Wireshark says: %s", error)
        return summary
