"""Namespaces: what each new one gets, and how one that is deleted is emptied."""

import asyncio
from collections.abc import Callable

from deploy.lab.apiserver.controllers.cluster import Cluster
from deploy.lab.apiserver.registry import Deletion
from deploy.lab.apiserver.resources import CONFIGMAPS, KEPT, NAMESPACES, SERVICEACCOUNTS
from deploy.lab.apiserver.status import Object
from deploy.lab.apiserver.store import Change

ROOT_CA = "kube-root-ca.crt"


def reconcile(cluster: Cluster) -> None:
    """Gives namespaces their service account and the CA's certificate; empties those that go."""
    for namespace in cluster.store.objects(NAMESPACES):
        if "deletionTimestamp" in namespace["metadata"]:
            _empty(cluster, namespace)
        else:
            _furnish(cluster, namespace["metadata"]["name"])


def follow(cluster: Cluster) -> Callable[[], None]:
    """Furnishes each new namespace before the next request is read: a pod can be created in it at once.

    Returns:
        What ends that.
    """
    soon = asyncio.get_running_loop().call_soon

    def notice(change: Change) -> None:
        if change.resource == NAMESPACES.plural and change.kind == "ADDED":
            soon(_furnish, cluster, change.value["metadata"]["name"])

    return cluster.store.listen(notice)


def _furnish(cluster: Cluster, name: str) -> None:
    if cluster.store.get(SERVICEACCOUNTS, name, "default") is None:
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
        cluster.registry.create(SERVICEACCOUNTS, name, account)
    certificate = cluster.store.fact("ca")
    if certificate and cluster.store.get(CONFIGMAPS, name, ROOT_CA) is None:
        data = {"ca.crt": certificate}
        bundle = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": ROOT_CA}, "data": data}
        cluster.registry.create(CONFIGMAPS, name, bundle)


def _empty(cluster: Cluster, namespace: Object) -> None:
    name = namespace["metadata"]["name"]
    left = [(r, o) for r in KEPT if r.namespaced for o in cluster.store.objects(r, name)]
    for resource, item in left:
        if "deletionTimestamp" not in item["metadata"]:
            cluster.registry.delete(resource, name, item["metadata"]["name"], Deletion())
    # Pods stay until their kubelets have ended them.
    if not any(cluster.store.objects(r, name) for r in KEPT if r.namespaced):
        cluster.registry.remove(NAMESPACES, namespace)
