"""Runs the controllers: after every change, and every few seconds in case something failed."""

import asyncio
import contextlib
import traceback
from collections.abc import Callable

from deploy.lab.apiserver.controllers import (
    daemonset,
    deployment,
    endpointslice,
    gc,
    job,
    namespaces,
    replicaset,
    resourcequota,
    scheduler,
    statefulset,
)
from deploy.lab.apiserver.controllers.cluster import Cluster
from deploy.lab.apiserver.resources import EVENTS
from deploy.lab.apiserver.store import Change

_RESYNC_SECONDS = 10.0
_GATHER_SECONDS = 0.01
"""Changes come in bursts; waiting this long lets one round answer many."""

Controller = Callable[[Cluster], None]
_CONTROLLERS: tuple[Controller, ...] = (
    namespaces.reconcile,
    deployment.reconcile,
    replicaset.reconcile,
    statefulset.reconcile,
    daemonset.reconcile,
    job.reconcile,
    scheduler.reconcile,
    endpointslice.reconcile,
    gc.reconcile,
    resourcequota.reconcile,
)


async def run(cluster: Cluster) -> None:
    """Keeps the cluster as its objects say, until cancelled."""
    changed = asyncio.Event()

    def notice(change: Change) -> None:
        # Controllers write events; being woken by their own would never end.
        if change.resource != EVENTS.plural:
            changed.set()

    with contextlib.ExitStack() as stack:
        stack.callback(cluster.store.listen(notice))
        while True:
            changed.clear()
            for reconcile in _CONTROLLERS:
                _run_one(reconcile, cluster)
            await asyncio.sleep(_GATHER_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RESYNC_SECONDS):
                    await changed.wait()


def _run_one(reconcile: Controller, cluster: Cluster) -> None:
    try:
        reconcile(cluster)
    except Exception:  # noqa: BLE001 - one controller that fails must not stop the others; it says so
        traceback.print_exc()
