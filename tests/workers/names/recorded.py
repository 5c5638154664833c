"""The recorded cluster as a snapshot."""

import json
from pathlib import Path
from typing import Any

from workers.names import read
from workers.names.snapshot import Snapshot

_EVIDENCE = Path(__file__).parents[2] / "evidence"


def items(kind: str) -> list[dict[str, Any]]:
    """The objects of a kind, as the API returned them."""
    found: list[dict[str, Any]] = json.loads((_EVIDENCE / f"{kind}.json").read_text())["items"]
    return found


def recorded() -> Snapshot:
    """All of it."""
    return Snapshot(
        taken_at=1_795_000_000.0,
        pods=tuple(filter(None, map(read.pod, items("pods")))),
        services=tuple(map(read.service, items("services"))),
        slices=tuple(filter(None, map(read.endpoint_slice, items("endpointslices")))),
        nodes=tuple(map(read.node, items("nodes"))),
    )
