"""What is known of a capture besides its packets, handed to the process that reads them."""

import json
from pathlib import Path

from workers.names.form import to_json
from workers.names.snapshot import Snapshot
from workers.summary.context import Context
from workers.tap.proof import Watched
from workers.work import Work

_LIMITS = ("bytes", "packets")


def context_file(work: Work, seen: Watched | None) -> Path:
    """A file with the `Context` as JSON, in the capture's own folder.

    Args:
        work: The capture, with its figures.
        seen: What the node counted meanwhile, where that is known.
    """
    path = work.folder / "context.json"
    path.write_text(json.dumps(context(work, seen).to_json()))
    return path


def context(work: Work, seen: Watched | None) -> Context:
    """What findings may look at."""
    capture = work.capture
    snapshot = Snapshot() if work.naming is None else work.naming.snapshot()
    named = next(
        (p for p in snapshot.pods if (p.namespace, p.name) == (capture.namespace, capture.pod)), None
    )
    addresses = seen.pod.ips if seen is not None else named.ips if named else ()
    return Context(
        cluster=to_json(snapshot),
        pod_addresses=tuple(addresses),
        filter=capture.filter or "",
        dropped=capture.dropped,
        moved=None if seen is None else seen.moved,
        cut_by=capture.ended_by if capture.ended_by in _LIMITS else None,
    )
