"""An agent pod from its creation to its removal."""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from workers.agent.pod_spec import (
    CAPTURE_LABEL,
    CONTAINER,
    INSTALLATION_LABEL,
    PROFILE_LABEL,
    AgentLimits,
    Owner,
    agent_name,
    pod_spec,
)
from workers.cluster.cluster import Cluster
from workers.cluster.errors import (
    ClusterError,
    ConflictError,
    ForbiddenError,
    NamespaceNotFoundError,
    NotServedError,
    PodNotFoundError,
    UnreachableError,
)
from workers.cluster.exec import Completed, ExecStream
from workers.cluster.pod import Pod
from workers.logs import about
from workers.metrics import PODS_REAPED

log = logging.getLogger(__name__)

_START_SECONDS = 90.0
_GONE_SECONDS = 30.0

# The kubelet's reasons for a container that waits and will go on waiting.
_HOPELESS = (
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "CrashLoopBackOff",
)


# The kubelet's reasons for a pod that it does not take: as much as the node can hold is asked for already.
_FULL = {"OutOfcpu": "CPU", "OutOfmemory": "memory", "OutOfpods": "place for a pod"}


class AgentError(ClusterError):
    """The agent pod cannot be started, or does not go; one sentence says why."""


class NotMadeError(AgentError):
    """The cluster refused the agent pod, so that there is none to be removed; its sentence says why."""


@dataclass(frozen=True)
class AgentPod:
    """An agent pod that runs, and the cluster to reach it through."""

    cluster: Cluster
    pod: Pod
    capture_id: str

    @property
    def node(self) -> str:
        """The node it runs on."""
        return self.pod.node or ""

    @property
    def may_enter(self) -> bool:
        """Whether it may enter pods' network namespaces."""
        return _may_enter(self.pod)

    def run(
        self,
        argv: Sequence[str],
        *,
        seconds: float,
        limit_bytes: int = 1 << 20,
        poll: Callable[[], None] | None = None,
    ) -> Completed:
        """Runs a command in it to its end; see `Cluster.run`."""
        return self.cluster.run(
            self.pod, CONTAINER, argv, seconds=seconds, limit_bytes=limit_bytes, poll=poll
        )

    def stream(
        self,
        argv: Sequence[str],
        *,
        seconds: float,
        silence: float | None = None,
        stdin: bool = False,
        poll: Callable[[], None] | None = None,
    ) -> ExecStream:
        """Runs a command in it whose output is taken as it comes; see `Cluster.stream`."""
        return self.cluster.stream(
            self.pod, CONTAINER, argv, seconds=seconds, silence=silence, stdin=stdin, poll=poll
        )

    def why_gone(self) -> str:
        """Why no command will run in it any more, as a sentence; "" while that is not known."""
        try:
            pod = self.cluster.pod(self.pod.namespace, self.pod.name)
        except (PodNotFoundError, NamespaceNotFoundError):
            return f"The agent pod on node {self.node} was deleted while it captured."
        except ClusterError:
            return ""
        if pod.uid != self.pod.uid or pod.deleting:
            return f"The agent pod on node {self.node} was deleted while it captured."
        if pod.phase in ("Failed", "Succeeded"):
            return f"The agent pod on node {self.node} was ended while it captured ({pod.why or pod.phase})."
        return ""

    def why_out_of_reach(self) -> str:
        """Why commands do not run in it now, as a sentence; "" when the cluster knows no reason."""
        if why := self.why_gone():
            return why
        try:
            node = self.cluster.node(self.node)
        except ClusterError:
            return ""
        if node.ready:
            return ""
        because = f" ({node.why})" if node.why else ""
        return f"Node {node.name} stopped reporting while it captured{because}."


def create(
    cluster: Cluster,
    *,
    owner: Owner,
    node: str,
    namespace: str,
    image: str,
    limits: AgentLimits,
    seconds: float = _START_SECONDS,
    poll: Callable[[], None] | None = None,
) -> AgentPod:
    """Creates the agent pod of a capture and waits until it runs.

    One that is there already for the same capture is taken over, unless it may do less: an earlier answer was
    lost, or an earlier worker died. When it does not come to run, it is removed again; when `poll` gives up,
    or the cluster is out of reach, it is there still.

    Args:
        cluster: The cluster of the pod to be captured.
        owner: The capture it is for.
        node: The node it must run on.
        namespace: The namespace of agent pods.
        image: The agent image.
        limits: What the capture may take.
        seconds: How long it may take to run.
        poll: Called at least once a second; may raise to give up.

    Raises:
        NotMadeError: The cluster refuses it: a right, PodSecurity, a quota, no such namespace.
        AgentError: It does not run: image, node, deadline.
        ClusterError: The cluster fails, or is not reached: there may be one.
    """
    capture_id = owner.capture_id
    manifest = pod_spec(owner=owner, node=node, namespace=namespace, image=image, limits=limits)
    try:
        created = cluster.create_pod(namespace, manifest)
    except (ForbiddenError, NamespaceNotFoundError, NotServedError) as error:
        raise NotMadeError(str(error)) from error
    except ConflictError:
        created = cluster.pod(namespace, agent_name(owner))
        found = Owner(created.labels.get(CAPTURE_LABEL, ""), created.labels.get(INSTALLATION_LABEL, ""))
        may_do_it = _may_enter(created) or limits.profile == "host"
        if found != owner or not may_do_it or created.node != node or created.deleting:
            raise
    try:
        running = _wait_until_running(cluster, created, seconds, poll)
    except UnreachableError:
        raise  # it may run well, and is taken over when the cluster answers again
    except ClusterError:
        with suppress(ClusterError):  # why it does not run is what counts; the reaper comes later
            cluster.delete_pod(namespace, created.name)
        raise
    return AgentPod(cluster, running, capture_id)


def find(cluster: Cluster, *, owner: Owner, namespace: str) -> tuple[AgentPod, ...]:
    """The running agent pods of a capture that an earlier worker made; none when there are none any more.

    Args:
        cluster: The cluster of the captured pods.
        owner: The capture they are for.
        namespace: The namespace of agent pods.

    Raises:
        ClusterError: The cluster does not say.
    """
    wanted = f"{CAPTURE_LABEL}={owner.capture_id},{INSTALLATION_LABEL}={owner.installation}"
    return tuple(
        AgentPod(cluster, pod, owner.capture_id)
        for pod in cluster.pods_with_label(namespace, wanted)
        if not pod.deleting and pod.phase == "Running"
    )


def delete(cluster: Cluster, namespace: str, capture_id: str, *, grace: int = 0, wait: bool = True) -> bool:
    """Removes the agent pods of a capture, with every process in them; harmless when there are none.

    Args:
        cluster: The cluster they are in.
        namespace: The namespace of agent pods.
        capture_id: The capture they were for.
        grace: Seconds their processes get between SIGTERM and SIGKILL.
        wait: Whether to wait until they are gone.

    Returns:
        Whether there were any.

    Raises:
        AgentError: One is still there after 30 seconds.
    """
    listed = [pod.name for pod in cluster.pods_with_label(namespace, f"{CAPTURE_LABEL}={capture_id}")]
    deleted = [name for name in listed if cluster.delete_pod(namespace, name, grace=grace)]
    if wait:
        for name in deleted:
            _wait_until_gone(cluster, namespace, name, _GONE_SECONDS + grace)
    return bool(deleted)


def remove(agent: AgentPod) -> None:
    """Removes one agent pod, and waits until it is gone.

    Raises:
        AgentError: It is still there after 30 seconds.
    """
    if agent.cluster.delete_pod(agent.pod.namespace, agent.pod.name):
        _wait_until_gone(agent.cluster, agent.pod.namespace, agent.pod.name, _GONE_SECONDS)


def _wait_until_gone(cluster: Cluster, namespace: str, name: str, seconds: float) -> None:
    for pod in cluster.watch_pod(namespace, name, seconds=seconds):
        if pod is None:
            return
    raise AgentError(f"Agent pod {namespace}/{name} was deleted and does not go: its node may be down.")


def remove_leftovers(
    cluster: Cluster, namespace: str, installation: str, is_active: Callable[[str], bool]
) -> tuple[str, ...]:
    """Removes every agent pod of an installation whose capture is not active; the capture ids of those.

    Another installation's agent pods are left alone, whatever their capture.

    Args:
        cluster: Where to look.
        namespace: The namespace of agent pods.
        installation: Whose agent pods.
        is_active: Asked after the pods were listed: a capture is active before it has a pod.
    """
    removed = []
    for pod in cluster.pods_with_label(namespace, f"{CAPTURE_LABEL},{INSTALLATION_LABEL}={installation}"):
        capture_id = pod.labels[CAPTURE_LABEL]
        if not pod.deleting and not is_active(capture_id):
            with about(capture_id):
                cluster.delete_pod(namespace, pod.name, uid=pod.uid)
                log.info("removed an agent pod that nobody needs")
            PODS_REAPED.inc()
            removed.append(capture_id)
    return tuple(dict.fromkeys(removed))


def _may_enter(pod: Pod) -> bool:
    return pod.labels.get(PROFILE_LABEL) == "namespace"


def _wait_until_running(
    cluster: Cluster, created: Pod, seconds: float, poll: Callable[[], None] | None
) -> Pod:
    last = created
    until = time.monotonic() + seconds
    for pod in cluster.watch_pod(created.namespace, created.name, seconds=seconds):
        if poll is not None:
            poll()
        if pod is None or pod.uid != created.uid:
            raise AgentError(f"The agent pod on node {created.node} was deleted before it ran.")
        last = pod
        if pod.phase == "Running" and pod.ready:
            return pod
        if what := _FULL.get(pod.why.partition(":")[0]):
            raise AgentError(
                f"Node {pod.node} has no {what} left for the agent pod: "
                "try again when other pods have left that node."
            )
        if pod.phase in ("Failed", "Succeeded") or pod.why.startswith(_HOPELESS):
            raise AgentError(f"The agent pod on node {pod.node} cannot run: {pod.why or pod.phase}.")
        if time.monotonic() > until:
            break
    why = f" ({last.why})" if last.why else ""
    raise AgentError(f"The agent pod on node {last.node} did not run within {seconds:g} s{why}.")
