"""The names for one capture: a snapshot of its cluster, taken beside it while packets are captured already.

It is kept as compressed JSON (some 200 kB for 10,000 pods) until the capture's packets are there and show
which addresses are needed. A worker that takes over a capture takes a snapshot of its own.
"""

import json
import logging
import threading
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import copy_context

from workers.cluster.cluster import Cluster
from workers.cluster.errors import ClusterError
from workers.cluster.snapshot import take_snapshot
from workers.names.form import from_json, to_json
from workers.names.snapshot import Snapshot

log = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds for which a capture that is over waits for its names."""

_LATE = "Addresses have no names: the cluster's objects had not been listed when the capture was over."
# A large cluster's lists are large; captures that begin together ask one after the other.
_ONE_AT_A_TIME = threading.Lock()


class Naming:
    """A snapshot on its way.

    Args:
        connect: Opens the cluster for another thread.
        namespace: Of the captured pod.
    """

    def __init__(self, connect: Callable[[], AbstractContextManager[Cluster]], namespace: str) -> None:
        self._connect = connect
        self._namespace = namespace
        self._taken: bytes | None = None
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._take,), name="names", daemon=True
        )

    def begin(self) -> None:
        """Starts to gather, once."""
        self._thread.start()

    def snapshot(self, seconds: float = PATIENCE) -> Snapshot:
        """The snapshot; one without anything but a note when it has not come within `seconds`."""
        if not self._thread.ident:
            return Snapshot()
        self._thread.join(seconds)
        taken = self._taken
        return Snapshot(notes=(_LATE,)) if taken is None else from_json(json.loads(zlib.decompress(taken)))

    def _take(self) -> None:
        try:
            with _ONE_AT_A_TIME, self._connect() as cluster:
                snapshot = take_snapshot(cluster, self._namespace)
        except ClusterError as error:
            snapshot = Snapshot(notes=(f"Addresses have no names: {error}",))
        except Exception:
            log.exception("no snapshot of the cluster")
            snapshot = Snapshot(notes=("Addresses have no names: the log of whoever runs podcap says why.",))
        self._taken = zlib.compress(json.dumps(to_json(snapshot)).encode(), 1)
