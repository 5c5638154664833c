"""Asks the pod itself which link its interface is paired with: one exec, where the policy allows it."""

from collections.abc import Callable
from dataclasses import replace

from workers.cluster.cluster import Cluster
from workers.cluster.errors import ClusterError
from workers.cluster.pod import Pod
from workers.tap.evidence import Evidence
from workers.tap.seat import seat

_SECONDS = 5.0


def with_iflink(
    cluster: Cluster, pod: Pod, evidence: Evidence, *, poll: Callable[[], None] | None = None
) -> Evidence:
    """The evidence with the pod's own answer in it, or with a clause that says why there is none.

    `/sys` must be the container's own: sysfs shows the network namespace that it was mounted in, so that
    reading it from the node, even in the pod's network namespace, gives the node's interfaces.

    Args:
        cluster: The pod's cluster.
        pod: The pod to be captured.
        evidence: What its node said; it names the interface to ask for.
        poll: Called at least once a second; may raise to give up.
    """
    place = seat(evidence, pod)
    if place is None or not pod.containers:
        return evidence
    container = next(iter(pod.containers))
    argv = ["cat", f"/sys/class/net/{place.interface}/iflink"]
    try:
        done = cluster.run(pod, container, argv, seconds=_SECONDS, limit_bytes=1024, poll=poll)
        return replace(evidence, iflinks={place.interface: int(done.stdout)})
    except ClusterError as error:
        why = str(error).rstrip(".")
    except ValueError:
        why = done.stderr.decode("utf-8", "replace").strip()[:120] or f"exit code {done.exit_code}"
    return replace(evidence, missing=(*evidence.missing, f"the pod's own iflink is unknown ({why})"))
