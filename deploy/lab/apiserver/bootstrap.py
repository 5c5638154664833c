"""What is there when a cluster is new: namespaces, the roles every cluster has, and the lab's own objects."""

import json
from pathlib import Path
from typing import Any

from deploy.lab.apiserver.controllers import namespaces
from deploy.lab.apiserver.controllers.cluster import Cluster
from deploy.lab.apiserver.decode import decode
from deploy.lab.apiserver.resources import (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    NAMESPACES,
    PRIORITYCLASSES,
    of_kind,
)
from deploy.lab.apiserver.status import ApiError, Object
from deploy.lab.apiserver.users import AUTHENTICATED, MASTERS

_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_SEEDED = "seeded"
_DISCOVERY = ("/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", "/version", "/version/")
_ROLES: dict[str, list[Object]] = {
    "cluster-admin": [
        {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
        {"verbs": ["*"], "nonResourceURLs": ["*"]},
    ],
    "system:basic-user": [
        {
            "verbs": ["create"],
            "apiGroups": ["authorization.k8s.io"],
            "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
        },
        {
            "verbs": ["create"],
            "apiGroups": ["authentication.k8s.io"],
            "resources": ["selfsubjectreviews"],
        },
    ],
    "system:discovery": [{"verbs": ["get"], "nonResourceURLs": list(_DISCOVERY)}],
}
_GROUPS = {
    "cluster-admin": MASTERS,
    "system:basic-user": AUTHENTICATED,
    "system:discovery": AUTHENTICATED,
}


class SeedError(Exception):
    """A seed file holds what is no object of this server. The message names file and object."""


def populate(cluster: Cluster, seeds: Path) -> None:
    """Fills a new store; does nothing when it was filled before.

    Args:
        cluster: The empty cluster.
        seeds: A folder of `*.json`, each an object, a list of objects or a Kubernetes List; read in order of
            their names, namespaces first. Objects pass the same checks as those of a client; a `status` is
            kept (nodes, and pods on nodes that are lost). They cannot own each other: owners adopt by
            selector.

    Raises:
        SeedError: An object was refused.
    """
    if cluster.store.fact(_SEEDED):
        return
    for name in _NAMESPACES:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        cluster.registry.create(NAMESPACES, "", namespace)
    for name, value in _PRIORITIES.items():
        wanted = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}}
        cluster.registry.create(PRIORITYCLASSES, "", wanted | {"value": value})
    for name, rules in _ROLES.items():
        cluster.registry.create(CLUSTERROLES, "", _role(name, rules))
        cluster.registry.create(CLUSTERROLEBINDINGS, "", _binding(name, _GROUPS[name]))
    objects = [(path, one) for path in sorted(seeds.glob("*.json")) for one in _objects(path)]
    objects.sort(key=lambda pair: pair[1].get("kind") != "Namespace")
    for path, one in objects:
        _plant(cluster, path, one)
    cluster.store.keep_fact(_SEEDED, "yes")


def _role(name: str, rules: list[Object]) -> Object:
    metadata = {"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": metadata,
        "rules": rules,
    }


def _binding(name: str, group: str) -> Object:
    api_group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{api_group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
        "subjects": [{"kind": "Group", "name": group, "apiGroup": api_group}],
        "roleRef": {"kind": "ClusterRole", "name": name, "apiGroup": api_group},
    }


def _objects(path: Path) -> list[Object]:
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SeedError(f"{path.name}: {error}") from None
    found: list[Object] = content if isinstance(content, list) else content.get("items", [content])
    return found


def _plant(cluster: Cluster, path: Path, one: Object) -> None:
    resource = of_kind(one.get("apiVersion", ""), one.get("kind", ""))
    if resource is None or not resource.stored:
        raise SeedError(f"{path.name}: {one.get('apiVersion')} {one.get('kind')} is not served")
    # Pods need their namespace's service account.
    namespaces.reconcile(cluster)
    try:
        value = decode(resource, one, "Strict").value
        value["metadata"].pop("ownerReferences", None)  # They name uids of another cluster.
        made = cluster.registry.create(resource, value["metadata"].get("namespace", "default"), value)
    except ApiError as refusal:
        name = one.get("metadata", {}).get("name", "")
        raise SeedError(f"{path.name}: {one['kind']} {name}: {refusal}") from None
    if resource.has_status and one.get("status"):
        cluster.store.change(
            resource, made, lambda it: it.update(status=it.get("status", {}) | one["status"])
        )
