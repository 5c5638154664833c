"""What is beside the packets of a capture, as it is handed over."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from workers.beside.beside import Around, Beside
from workers.beside.context_text import context_text
from workers.names.snapshot import Snapshot
from workers.packaging import comment
from workers.summary.summary import Summary
from workers.taps.around import Found
from workers.vantage.comparison import Comparison
from workers.work import Work


def around(
    founds: Mapping[int, Found],
    numbered: Mapping[int, int],
    summaries: Sequence[Summary | None],
    snapshot: Snapshot,
    comparison: Comparison | None = None,
) -> Around:
    """All of it, with the packets.

    Args:
        founds: What was found, by the taps' numbers.
        numbered: The tap's number of each interface.
        summaries: What each interface's packets say, by number.
        snapshot: The cluster.
        comparison: What happened between several taps.
    """
    besides, others = [], []
    for number, summary in enumerate(summaries):
        one = founds.get(numbered[number])
        if summary is None:
            continue
        if one is None:
            others.append(summary)
        else:
            besides.append(Beside(number, one.pod, summary, one.before, one.after, one.log))
    return Around(besides, comparison, snapshot, others)


def context_file(work: Work, whole: Around) -> Path | None:
    """The file with all of it; None where there is nothing."""
    if not whole.besides:
        return None
    # Unlike the packets' file, its name does not begin with the capture's id.
    path = work.folder / f"context-{work.capture.id}.txt"
    path.write_text(context_text(comment(work.capture), whole))
    return path
