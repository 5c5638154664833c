"""What is known of a capture besides its packets, handed to the process that reads them."""

import json
from dataclasses import dataclass
from pathlib import Path

from workers.names.form import to_json
from workers.names.snapshot import Snapshot
from workers.summary.context import Context
from workers.tap.proof import Watched
from workers.work import Work

_LIMITS = ("bytes", "packets")


def context_file(work: Work, seen: Watched | None) -> Path:
    """A file with the `Context` of a capture of one tap as JSON, in the capture's own folder.

    Args:
        work: The capture, with its figures.
        seen: What the node counted meanwhile, where that is known.
    """
    capture = work.capture
    snapshot = Snapshot() if work.naming is None else work.naming.snapshot()
    of = Of(capture.namespace, capture.pod, capture.dropped, capture.ended_by)
    path = work.folder / "context.json"
    path.write_text(json.dumps(context(work, snapshot, of, seen).to_json()))
    return path


@dataclass(frozen=True, slots=True)
class Of:
    """Whose packets they are, and what was counted of them."""

    namespace: str
    pod: str
    dropped: int | None
    ended_by: str | None


def context(work: Work, snapshot: Snapshot, of: Of, seen: Watched | None) -> Context:
    """What findings may look at."""
    named = next((p for p in snapshot.pods if (p.namespace, p.name) == (of.namespace, of.pod)), None)
    addresses = seen.pod.ips if seen is not None else named.ips if named else ()
    return Context(
        cluster=to_json(snapshot),
        pod_addresses=tuple(addresses),
        filter=work.capture.filter or "",
        dropped=of.dropped,
        moved=None if seen is None else seen.moved,
        cut_by=of.ended_by if of.ended_by in _LIMITS else None,
    )
