"""Reading a pod's log from the cluster: the lines that it wrote while it was captured."""

from collections.abc import Collection
from datetime import UTC, datetime

from workers.cluster.cluster import Cluster
from workers.cluster.errors import ClusterError, ForbiddenError
from workers.cluster.pod import Pod
from workers.pod_logs.pod_log import LogLine, PodLog, lines, log_of

MOST_BYTES = 1 << 20
"""Of one container's log; lines that come later are left out."""

LATE = 1_000_000_000
"""Nanoseconds after the last packet within which a line may tell of what the packets hold."""

_SECOND = 10**9


def logs_of(
    cluster: Cluster,
    pod: Pod,
    since: int,
    until: int,
    *,
    restarted: Collection[str] = (),
    limit_bytes: int = MOST_BYTES,
) -> PodLog:
    """What every container of a pod logged between two moments; never fails, but says what is missing.

    Args:
        cluster: Where the pod is.
        pod: The pod, with its containers.
        since: Nanoseconds since 1970, by the clock of the pod's node.
        until: Likewise; lines are taken up to a second later.
        restarted: Containers that were started anew meanwhile: their run before is read, too.
        limit_bytes: Of each container.
    """
    found: list[LogLine] = []
    notes: list[str] = []
    moment = datetime.fromtimestamp(since // _SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for container in sorted(pod.containers):
        for previous in (True, False) if container in restarted else (False,):
            try:
                data = cluster.log(
                    pod.namespace,
                    pod.name,
                    container,
                    since=moment,
                    limit_bytes=limit_bytes,
                    previous=previous,
                )
            except ForbiddenError as error:
                return log_of(pod.namespace, pod.name, found, [f"Its log is not here: {error}"])
            except ClusterError as error:
                notes.append(f"The log of container {container} is not here: {error}")
                continue
            found += lines(data, container, since, until + LATE)
            if len(data) >= limit_bytes:
                notes.append(f"Container {container} logged more than is shown.")
    return log_of(pod.namespace, pod.name, found, notes)
