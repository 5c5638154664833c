"""Telling the owners of a pod that its packets are captured, by Events on the pod itself."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from workers.cluster.cluster import Cluster
from workers.cluster.errors import ClusterError
from workers.cluster.event import ENDED, STARTED, News, pod_event
from workers.cluster.pod import Pod
from workers.ledger.capture import Capture
from workers.request.duration import shown

log = logging.getLogger(__name__)


@contextmanager
def announced(
    cluster: Cluster,
    pod: Pod,
    capture: Capture,
    *,
    unless: tuple[type[Exception], ...] = (),
) -> Iterator[None]:
    """An Event on the pod at the begin of the block, another at its end, however it ends.

    Written again by a worker that takes over, the first is still one. A cluster that does not take them keeps
    nobody from capturing: the trail knows it all the same.

    Args:
        cluster: The pod's.
        pod: The captured pod.
        capture: Who captures what of it.
        unless: What ends the block, and not the capture.
    """
    _write(cluster, pod, capture, STARTED, _began(capture))
    goes_on = False
    try:
        yield
    except unless:
        goes_on = True
        raise
    finally:
        if not goes_on:
            _write(cluster, pod, capture, ENDED, f"podcap's capture {capture.id} of this pod has ended.")


def _began(capture: Capture) -> str:
    what = "whole packets" if capture.full else "packet headers"
    narrowed = f", filter: {capture.filter}" if capture.filter else ""
    who = capture.user_name or capture.user_id
    return (
        f"{who} captures {what} of this pod with podcap for {shown(capture.seconds)} ({capture.id}){narrowed}"
    )


def _write(cluster: Cluster, pod: Pod, capture: Capture, reason: str, message: str) -> None:
    try:
        cluster.create_event(pod_event(pod, capture.id, News(reason, message, datetime.now(UTC))))
    except ClusterError as error:
        log.warning("no Event on the pod: %s", error)
