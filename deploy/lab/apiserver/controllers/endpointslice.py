"""EndpointSlices: the addresses behind each Service that has a selector."""

import ipaddress

from deploy.lab.apiserver.controllers.cluster import Cluster
from deploy.lab.apiserver.controllers.owned import controller_of, owner_reference
from deploy.lab.apiserver.podstatus import TERMINAL, condition, is_ready
from deploy.lab.apiserver.resources import ENDPOINTSLICES, PODS, SERVICES
from deploy.lab.apiserver.selectors import of_object
from deploy.lab.apiserver.status import Object

MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
SERVICE_NAME = "kubernetes.io/service-name"
_CONTROLLER = "endpointslice-controller.k8s.io"
_CHANGED = "endpoints.kubernetes.io/last-change-trigger-time"


def reconcile(cluster: Cluster) -> None:
    """Writes one slice for every Service with a selector; a Service's slices go with it (garbage)."""
    for service in cluster.store.objects(SERVICES):
        if service["spec"].get("selector") and service["spec"]["type"] != "ExternalName":
            _reconcile_one(cluster, service)


def _reconcile_one(cluster: Cluster, service: Object) -> None:
    namespace = service["metadata"]["namespace"]
    selected = of_object({"matchLabels": service["spec"]["selector"]})
    pods = [
        pod
        for pod in cluster.store.objects(PODS, namespace)
        if selected(pod["metadata"].get("labels") or {}) and _has_address(pod)
    ]
    pods.sort(key=lambda pod: ipaddress.ip_address(pod["status"]["podIP"]))
    ports = _ports(service, pods)
    endpoints = [_endpoint(pod, service) for pod in pods]
    triggers = [_ready_since(pod) for pod in pods]
    existing = _slice_of(cluster, service)
    if existing is None:
        cluster.registry.create(
            ENDPOINTSLICES, namespace, _slice(service, endpoints, ports, max(triggers, default=""))
        )
    elif existing["endpoints"] != endpoints or existing["ports"] != ports:

        def edit(one: Object) -> None:
            one["endpoints"], one["ports"] = endpoints, ports
            one["metadata"]["generation"] += 1
            if last := max(triggers, default=""):
                one["metadata"].setdefault("annotations", {})[_CHANGED] = last

        cluster.store.change(ENDPOINTSLICES, existing, edit)


def _has_address(pod: Object) -> bool:
    status = pod.get("status", {})
    return bool(status.get("podIP")) and status.get("phase") not in TERMINAL


def _slice_of(cluster: Cluster, service: Object) -> Object | None:
    for one in cluster.store.objects(ENDPOINTSLICES, service["metadata"]["namespace"]):
        owner = controller_of(one)
        if owner is not None and owner["uid"] == service["metadata"]["uid"]:
            return one
    return None


def _slice(service: Object, endpoints: list[Object], ports: list[Object], changed: str) -> Object:
    name = service["metadata"]["name"]
    labels = dict(service["metadata"].get("labels") or {})
    labels |= {MANAGED_BY: _CONTROLLER, SERVICE_NAME: name}
    if service["spec"].get("clusterIP") == "None":
        labels["service.kubernetes.io/headless"] = ""
    metadata: Object = {
        "generateName": f"{name}-",
        "labels": labels,
        "ownerReferences": [owner_reference(service)],
    }
    if changed:
        metadata["annotations"] = {_CHANGED: changed}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata,
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": ports,
    }


def _ports(service: Object, pods: list[Object]) -> list[Object]:
    """The ports as numbers. A named target port is looked up in the first pod that has it."""
    found = []
    for port in service["spec"].get("ports", []):
        number = port["targetPort"]
        if isinstance(number, str):
            number = next((n for n in (_named_port(pod, port) for pod in pods) if n), None)
        if number is not None:
            found.append({"name": port.get("name", ""), "port": number, "protocol": port["protocol"]})
    return found


def _named_port(pod: Object, port: Object) -> int | None:
    for container in pod["spec"]["containers"]:
        for one in container.get("ports", []):
            if one.get("name") == port["targetPort"] and one["protocol"] == port["protocol"]:
                return int(one["containerPort"])
    return None


def _endpoint(pod: Object, service: Object) -> Object:
    ready, terminating = is_ready(pod), "deletionTimestamp" in pod["metadata"]
    published = bool(service["spec"].get("publishNotReadyAddresses"))
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {
            "ready": published or (ready and not terminating),
            "serving": published or ready,
            "terminating": terminating,
        },
        "nodeName": pod["spec"]["nodeName"],
        "targetRef": {
            "kind": "Pod",
            "name": pod["metadata"]["name"],
            "namespace": pod["metadata"]["namespace"],
            "uid": pod["metadata"]["uid"],
        },
    }


def _ready_since(pod: Object) -> str:
    if not condition(pod, "Ready"):
        return ""
    return str(
        next(one["lastTransitionTime"] for one in pod["status"]["conditions"] if one["type"] == "Ready")
    )
