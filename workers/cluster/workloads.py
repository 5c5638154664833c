"""The pods behind a workload, a Service or labels, as the API says it: by who owns them, not by labels alone.

Only `list` is asked for, in the one namespace: whoever may list knows which names are near, too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from workers.cluster.errors import ClusterError, NamespaceNotFoundError
from workers.cluster.pod import Pod, pod_from_json
from workers.cluster.suggest import did_you_mean

Json = Mapping[str, Any]


class Lists(Protocol):
    """What is asked: `Cluster.objects` and `Cluster.list_namespaces`."""

    def objects(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """Every object of a kind."""

    def list_namespaces(self) -> tuple[str, ...]:
        """The names of all namespaces."""


class NothingThereError(ClusterError):
    """There is no such workload or Service, or it has no pod from which packets can be captured."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of the API that has pods."""

    name: str
    path: str
    plural: str


DEPLOYMENT = Kind("Deployment", "/apis/apps/v1", "deployments")
STATEFUL_SET = Kind("StatefulSet", "/apis/apps/v1", "statefulsets")
DAEMON_SET = Kind("DaemonSet", "/apis/apps/v1", "daemonsets")
REPLICA_SET = Kind("ReplicaSet", "/apis/apps/v1", "replicasets")
JOB = Kind("Job", "/apis/batch/v1", "jobs")
SERVICE = Kind("Service", "/api/v1", "services")


def pods_of(cluster: Lists, kind: Kind, namespace: str, name: str) -> list[Pod]:
    """The running pods that a workload controls, a Deployment's through its ReplicaSets.

    Raises:
        NothingThereError: There is none of that name, or no pod of it runs.
        ClusterError: The API does not say.
    """
    found = the(cluster, kind, namespace, name)
    owners = {found["metadata"]["uid"]}
    selector = selector_text(found["spec"].get("selector") or {})
    if kind is DEPLOYMENT:
        sets = _listed(cluster, REPLICA_SET, namespace, selector)
        owners = {one["metadata"]["uid"] for one in sets if _controller(one) in owners}
    pods = [pod for pod in _pods(cluster, namespace, selector) if _controller(pod) in owners]
    return _running(pods, f"{kind.name} {name} in namespace {namespace}")


def pods_with_labels(cluster: Lists, namespace: str, selector: str) -> list[Pod]:
    """The running pods that a label selector selects.

    Raises:
        NothingThereError: There is none.
        ClusterError: The API does not say.
    """
    pods = list(_pods(cluster, namespace, selector))
    if not pods:
        _refuse_unless_namespace(cluster, namespace)
        raise NothingThereError(f"No pod in namespace {namespace} has the labels {selector}.")
    return _running(pods, f"Of {selector} in namespace {namespace}", verb="there is")


def pods_behind(cluster: Lists, service: Json) -> list[Pod]:
    """The pods that a Service sends traffic to: those that are ready in its EndpointSlices.

    Raises:
        NothingThereError: There is none.
        ClusterError: The API does not say.
    """
    namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
    path = f"/apis/discovery.k8s.io/v1/namespaces/{quote(namespace, safe='')}/endpointslices"
    slices = cluster.objects(path, {"labelSelector": f"kubernetes.io/service-name={name}"})
    ready = {uid for one in slices for uid in _ready(one)}
    if not ready:
        raise NothingThereError(
            f"Service {name} in namespace {namespace} has no ready pod behind it: nothing reaches one by it."
        )
    selector = selector_text({"matchLabels": service["spec"].get("selector") or {}})
    pods = [pod for pod in _pods(cluster, namespace, selector) if pod["metadata"]["uid"] in ready]
    return _running(pods, f"Service {name} in namespace {namespace}")


def pods_that_begin(cluster: Lists, namespace: str, beginning: str) -> list[Pod]:
    """The running pods whose names begin so; perhaps none."""
    pods = _pods(cluster, namespace, "")
    return [pod for pod in map(pod_from_json, pods) if pod.name.startswith(beginning) and _runs(pod)]


def the(cluster: Lists, kind: Kind, namespace: str, name: str) -> Json:
    """The one of that name.

    Raises:
        NothingThereError: There is none, and these are near.
        NamespaceNotFoundError: There is not even the namespace.
    """
    all_ = list(_listed(cluster, kind, namespace, ""))
    found = next((one for one in all_ if one["metadata"]["name"] == name), None)
    if found is not None:
        return found
    if not all_:
        _refuse_unless_namespace(cluster, namespace)
    names = [one["metadata"]["name"] for one in all_]
    raise NothingThereError(
        f"There is no {kind.name} {name} in namespace {namespace}.{did_you_mean(name, names)}"
    )


def selector_text(selector: Json) -> str:
    """A selector of the API's as the query has it: `app=cheese,tier notin (db)`; empty selects everything."""
    parts = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for one in selector.get("matchExpressions") or []:
        key, values = one["key"], ",".join(one.get("values") or [])
        parts.append(
            {
                "In": f"{key} in ({values})",
                "NotIn": f"{key} notin ({values})",
                "Exists": key,
                "DoesNotExist": f"!{key}",
            }[one["operator"]]
        )
    return ",".join(parts)


def _listed(cluster: Lists, kind: Kind, namespace: str, selector: str) -> Iterator[Json]:
    path = f"{kind.path}/namespaces/{quote(namespace, safe='')}/{kind.plural}"
    return cluster.objects(path, {"labelSelector": selector} if selector else None)


def _pods(cluster: Lists, namespace: str, selector: str) -> Iterator[Json]:
    return _listed(cluster, Kind("Pod", "/api/v1", "pods"), namespace, selector)


def _refuse_unless_namespace(cluster: Lists, namespace: str) -> None:
    """A list in a namespace that does not exist is empty, too."""
    try:
        namespaces: Sequence[str] = cluster.list_namespaces()
    except ClusterError:
        return
    if namespace not in namespaces:
        raise NamespaceNotFoundError(
            f"There is no namespace {namespace}.{did_you_mean(namespace, namespaces)}"
        )


def _running(pods: Iterable[Json], whose: str, *, verb: str = "has") -> list[Pod]:
    all_ = sorted(map(pod_from_json, pods), key=lambda pod: pod.name)
    running = [pod for pod in all_ if _runs(pod)]
    if not running:
        why = next((f" ({pod.name}: {pod.why})" for pod in all_ if pod.why), "")
        raise NothingThereError(f"{whose} {verb} no running pod{why}: there are no packets to capture.")
    return running


def _runs(pod: Pod) -> bool:
    return pod.phase == "Running" and not pod.deleting and pod.node is not None


def _controller(thing: Json) -> str | None:
    owners = thing["metadata"].get("ownerReferences") or []
    return next((str(one["uid"]) for one in owners if one.get("controller")), None)


def _ready(endpoint_slice: Json) -> Iterator[str]:
    for endpoint in endpoint_slice.get("endpoints") or []:
        reference = endpoint.get("targetRef") or {}
        # Nobody says whether it is ready: that counts as yes (Kubernetes, EndpointConditions).
        if reference.get("kind") == "Pod" and (endpoint.get("conditions") or {}).get("ready") is not False:
            yield reference["uid"]
