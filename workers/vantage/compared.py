"""Comparing the vantage points of a merged file, in a child process: `workers.vantage.child`."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from workers.names.form import to_json
from workers.names.snapshot import Snapshot
from workers.summary.limited import run_limited
from workers.summary.outcome import NotWrittenError, told
from workers.vantage.comparison import Comparison
from workers.vantage.vantage import Vantage

MEMORY = 1 << 30
"""Bytes of address space: for a file of the largest size with headers alone, and a flood of connections."""

SECONDS = 240
"""A third of it to read."""


class ComparedError(Exception):
    """There is no comparison; the message is one sentence."""


def compared(
    merged: Path,
    vantages: Sequence[Vantage],
    snapshot: Snapshot,
    *,
    seconds: int = SECONDS,
    memory: int = MEMORY,
) -> Comparison:
    """What happened between the vantage points, as a digest.

    Args:
        merged: The file as `workers.pcapng.file.merged_file` made it.
        vantages: One for each of its interfaces, by number.
        snapshot: Of the cluster; may be empty.
        seconds: Of time, CPU and wall, after which the child is ended. At a third of it reading stops.
        memory: Bytes of address space it may have.

    Raises:
        ComparedError: It could not be read, or took too much.
        OSError: The file cannot be opened.
    """
    about = {"vantages": [each.to_json() for each in vantages], "cluster": to_json(snapshot)}
    with merged.open("rb") as source, tempfile.TemporaryFile("w+b") as said:
        said.write(json.dumps(about).encode())
        said.seek(0)
        about_it = said.fileno()
        output, failure = run_limited(
            "workers.vantage.child",
            ["--about", str(about_it)],
            source,
            seconds=seconds,
            memory=memory,
            inherited=(about_it,),
        )
    try:
        return Comparison.from_json(told(output, failure))
    except NotWrittenError as why:
        raise ComparedError(f"The vantage points could not be compared{why}") from None
