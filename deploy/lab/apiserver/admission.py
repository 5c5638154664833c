"""Admission: what a cluster's plugins add to a new object or refuse about it, beyond the API's own rules."""

from deploy.lab.apiserver import podsecurity
from deploy.lab.apiserver.pod_defaults import admit_pod
from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.resources import NAMESPACES, PODS, PRIORITYCLASSES, SERVICEACCOUNTS
from deploy.lab.apiserver.status import ApiError, Object, forbidden, not_found
from deploy.lab.apiserver.store import Store


def admit(store: Store, resource: Resource, value: Object) -> None:
    """Runs NamespaceLifecycle, ServiceAccount, DefaultTolerationSeconds, Priority and PodSecurity.

    Changes the object.

    Raises:
        ApiError: 403 or 404.
    """
    if not resource.namespaced:
        return
    namespace = _namespace(store, resource, value["metadata"])
    if resource is PODS:
        admit_pod(value)
        _set_priority(store, value)
        _check_service_account(store, value)
        if why := podsecurity.violations(namespace, value):
            raise forbidden(PODS, _name(value["metadata"]), why)


def _name(metadata: Object) -> str:
    return str(metadata.get("name") or metadata.get("generateName", ""))


def _namespace(store: Store, resource: Resource, metadata: Object) -> Object:
    name = metadata["namespace"]
    namespace = store.get(NAMESPACES, "", name)
    if namespace is None:
        raise not_found(NAMESPACES, name)
    if namespace["metadata"].get("deletionTimestamp"):
        refusal = forbidden(
            resource,
            _name(metadata),
            f"unable to create new content in namespace {name} because it is being terminated",
        )
        refusal.body["details"]["causes"] = [
            {
                "reason": "NamespaceTerminating",
                "message": f"namespace {name} is being terminated",
                "field": "metadata.namespace",
            }
        ]
        raise refusal
    return namespace


def _check_service_account(store: Store, pod: Object) -> None:
    namespace, account = pod["metadata"]["namespace"], pod["spec"]["serviceAccountName"]
    found = store.get(SERVICEACCOUNTS, namespace, account)
    if found is None:
        why = f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found'
        raise forbidden(PODS, _name(pod["metadata"]), why)
    if (
        found.get("automountServiceAccountToken") is False
        and "automountServiceAccountToken" not in pod["spec"]
    ):
        _unmount_token(pod["spec"])


def _set_priority(store: Store, pod: Object) -> None:
    name = pod["spec"].get("priorityClassName", "")
    if not name:
        return
    found = store.get(PRIORITYCLASSES, "", name)
    if found is None:
        why = f"no PriorityClass with name {name} was found"
        raise forbidden(PODS, _name(pod["metadata"]), why)
    pod["spec"] |= {"priority": found.get("value", 0), "preemptionPolicy": found["preemptionPolicy"]}


def _unmount_token(spec: Object) -> None:
    """Takes the token volume out again: the service account says that its pods get none."""
    names = {v["name"] for v in spec.get("volumes", []) if v["name"].startswith("kube-api-access-")}
    spec["volumes"] = [volume for volume in spec.get("volumes", []) if volume["name"] not in names]
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        mounts = container.get("volumeMounts", [])
        container["volumeMounts"] = [mount for mount in mounts if mount["name"] not in names]


def check_creatable(resource: Resource, namespace: str, metadata: Object) -> None:
    """The namespace of a new object is that of the request.

    Raises:
        ApiError: 400.
    """
    given = metadata.get("namespace", "")
    if resource.namespaced and given not in {"", namespace}:
        raise ApiError(
            400,
            "BadRequest",
            "the namespace of the provided object does not match the namespace sent on the request",
        )
