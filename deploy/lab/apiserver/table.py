"""Lists and objects as Tables (`meta.k8s.io/v1`): the columns that kubectl shows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deploy.lab.apiserver import printers, times
from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.status import Object


@dataclass(frozen=True)
class Column:
    """One column. With priority 1 it is shown by `-o wide` only."""

    name: str
    read: Callable[[Object], Any]
    type: str = "string"
    format: str = ""
    priority: int = 0

    @property
    def definition(self) -> Object:
        """How the column is declared."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": "",
            "priority": self.priority,
        }


def _name(item: Object) -> str:
    return str(item["metadata"]["name"])


def _age(item: Object) -> str:
    return times.age(item["metadata"].get("creationTimestamp"))


_NAME = Column("Name", _name, format="name")
_AGE = Column("Age", _age)


def _wide(name: str, read: Callable[[Object], Any]) -> Column:
    return Column(name, read, priority=1)


_WORKLOAD_WIDE = (
    _wide("Containers", printers.container_names),
    _wide("Images", printers.container_images),
    _wide("Selector", printers.label_selector),
)
_COLUMNS: dict[str, tuple[Column, ...]] = {
    "pods": (
        _NAME,
        Column("Ready", printers.pod_ready),
        Column("Status", printers.pod_status),
        Column("Restarts", printers.pod_restarts),
        _AGE,
        _wide("IP", lambda o: o.get("status", {}).get("podIP") or "<none>"),
        _wide("Node", lambda o: o["spec"].get("nodeName") or "<none>"),
        _wide("Nominated Node", lambda o: o.get("status", {}).get("nominatedNodeName") or "<none>"),
        _wide("Readiness Gates", lambda _: "<none>"),
    ),
    "nodes": (
        _NAME,
        Column("Status", printers.node_status),
        Column("Roles", printers.node_roles),
        _AGE,
        Column("Version", lambda o: printers.node_info(o, "kubeletVersion")),
        _wide("Internal-IP", lambda o: printers.node_address(o, "InternalIP")),
        _wide("External-IP", lambda o: printers.node_address(o, "ExternalIP")),
        _wide("OS-Image", lambda o: printers.node_info(o, "osImage")),
        _wide("Kernel-Version", lambda o: printers.node_info(o, "kernelVersion")),
        _wide("Container-Runtime", lambda o: printers.node_info(o, "containerRuntimeVersion")),
    ),
    "services": (
        _NAME,
        Column("Type", lambda o: o["spec"].get("type", "")),
        Column("Cluster-IP", lambda o: o["spec"].get("clusterIP") or "<none>"),
        Column("External-IP", lambda o: ",".join(o["spec"].get("externalIPs", [])) or "<none>"),
        Column("Port(s)", printers.service_ports),
        _AGE,
        _wide("Selector", lambda o: printers.labels(o["spec"].get("selector"))),
    ),
    "deployments": (
        _NAME,
        Column("Ready", printers.replicas_ready),
        Column("Up-to-date", lambda o: o.get("status", {}).get("updatedReplicas", 0), "integer"),
        Column("Available", lambda o: o.get("status", {}).get("availableReplicas", 0), "integer"),
        _AGE,
        *_WORKLOAD_WIDE,
    ),
    "replicasets": (
        _NAME,
        Column("Desired", lambda o: o["spec"].get("replicas", 0), "integer"),
        Column("Current", lambda o: o.get("status", {}).get("replicas", 0), "integer"),
        Column("Ready", lambda o: o.get("status", {}).get("readyReplicas", 0), "integer"),
        _AGE,
        *_WORKLOAD_WIDE,
    ),
    "statefulsets": (
        _NAME,
        Column("Ready", printers.replicas_ready),
        _AGE,
        *_WORKLOAD_WIDE[:2],
    ),
    "daemonsets": (
        _NAME,
        Column("Desired", lambda o: o.get("status", {}).get("desiredNumberScheduled", 0), "integer"),
        Column("Current", lambda o: o.get("status", {}).get("currentNumberScheduled", 0), "integer"),
        Column("Ready", lambda o: o.get("status", {}).get("numberReady", 0), "integer"),
        Column("Up-to-date", lambda o: o.get("status", {}).get("updatedNumberScheduled", 0), "integer"),
        Column("Available", lambda o: o.get("status", {}).get("numberAvailable", 0), "integer"),
        Column("Node Selector", lambda o: printers.labels(o["spec"]["template"]["spec"].get("nodeSelector"))),
        _AGE,
        *_WORKLOAD_WIDE,
    ),
    "namespaces": (_NAME, Column("Status", lambda o: o.get("status", {}).get("phase", "")), _AGE),
    "events": (
        Column("Last Seen", printers.event_seen),
        Column("Type", lambda o: o.get("type", "")),
        Column("Reason", lambda o: o.get("reason", "")),
        Column("Object", printers.event_object),
        _wide("Subobject", lambda o: o.get("involvedObject", {}).get("fieldPath", "")),
        _wide("Source", printers.event_source),
        Column("Message", lambda o: o.get("message", "").strip()),
        _wide("First Seen", printers.event_first_seen),
        _wide("Count", lambda o: o.get("count", 1)),
        _wide("Name", _name),
    ),
    "endpointslices": (
        _NAME,
        Column("AddressType", lambda o: o["addressType"]),
        Column("Ports", printers.slice_ports),
        Column("Endpoints", printers.slice_endpoints),
        _AGE,
    ),
    "secrets": (
        _NAME,
        Column("Type", lambda o: o["type"]),
        Column("Data", lambda o: len(o.get("data", {})), "integer"),
        _AGE,
    ),
    "persistentvolumeclaims": (
        _NAME,
        Column("Status", lambda o: o.get("status", {}).get("phase", "")),
        Column("Volume", lambda o: o["spec"].get("volumeName", "")),
        Column("Capacity", lambda o: o.get("status", {}).get("capacity", {}).get("storage", "")),
        Column("Access Modes", printers.access_modes),
        Column("StorageClass", lambda o: o["spec"].get("storageClassName", "")),
        Column("VolumeAttributesClass", lambda o: o["spec"].get("volumeAttributesClassName", "<unset>")),
        _AGE,
        _wide("VolumeMode", lambda o: o["spec"]["volumeMode"]),
    ),
    "resourcequotas": (
        _NAME,
        Column("Request", lambda o: printers.quota(o, limits=False)),
        Column("Limit", lambda o: printers.quota(o, limits=True)),
        _AGE,
    ),
    "networkpolicies": (
        _NAME,
        Column("Pod-Selector", lambda o: printers.selector(o["spec"]["podSelector"])),
        _AGE,
    ),
    "ingresses": (
        _NAME,
        Column("Class", lambda o: o["spec"].get("ingressClassName") or "<none>"),
        Column("Hosts", printers.ingress_hosts),
        Column("Address", lambda _: ""),
        Column("Ports", lambda o: "80, 443" if o["spec"].get("tls") else "80"),
        _AGE,
    ),
    "poddisruptionbudgets": (
        _NAME,
        Column("Min Available", lambda o: str(o["spec"].get("minAvailable", "N/A"))),
        Column("Max Unavailable", lambda o: str(o["spec"].get("maxUnavailable", "N/A"))),
        Column("Allowed Disruptions", lambda o: o["status"].get("disruptionsAllowed", 0), "integer"),
        _AGE,
    ),
    "jobs": (
        _NAME,
        Column("Status", printers.job_status),
        Column("Completions", printers.job_completions),
        Column("Duration", printers.job_duration),
        _AGE,
        *_WORKLOAD_WIDE,
    ),
    "cronjobs": (
        _NAME,
        Column("Schedule", lambda o: o["spec"]["schedule"]),
        Column("Timezone", lambda o: o["spec"].get("timeZone", "<none>")),
        Column("Suspend", lambda o: str(o["spec"]["suspend"])),
        Column("Active", lambda o: len(o.get("status", {}).get("active", [])), "integer"),
        Column("Last Schedule", lambda _: "<none>"),
        _AGE,
    ),
    "validatingadmissionpolicies": (
        _NAME,
        Column("Validations", lambda o: len(o["spec"].get("validations", [])), "integer"),
        Column("ParamKind", printers.parameter_kind),
        _AGE,
    ),
    "validatingadmissionpolicybindings": (
        _NAME,
        Column("PolicyName", lambda o: o["spec"]["policyName"]),
        Column("ParamRef", printers.parameter_reference),
        _AGE,
    ),
    "priorityclasses": (
        _NAME,
        Column("Value", lambda o: o.get("value", 0), "integer"),
        Column("Global-Default", lambda o: o.get("globalDefault", False), "boolean"),
        _AGE,
        Column("PreemptionPolicy", lambda o: o["preemptionPolicy"]),
    ),
    "serviceaccounts": (_NAME, Column("Secrets", lambda o: len(o.get("secrets", [])), "integer"), _AGE),
    "configmaps": (_NAME, Column("Data", lambda o: len(o.get("data", {})), "integer"), _AGE),
    "rolebindings": (_NAME, Column("Role", printers.role_of), _AGE),
    "clusterrolebindings": (_NAME, Column("Role", printers.role_of), _AGE),
}
_OTHERS = (_NAME, Column("Created At", lambda o: o["metadata"].get("creationTimestamp", "")))


def as_table(resource: Resource, items: list[Object], metadata: Object, include: str = "Metadata") -> Object:
    """A Table of objects.

    Args:
        resource: What they are.
        items: The rows' objects.
        metadata: The list's metadata.
        include: What each row carries: `None`, `Metadata` or `Object`.
    """
    columns = _COLUMNS.get(resource.plural, _OTHERS)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [column.definition for column in columns],
        "rows": [_row(columns, item, include) for item in items],
    }


def _row(columns: tuple[Column, ...], item: Object, include: str) -> Object:
    row: Object = {"cells": [column.read(item) for column in columns]}
    if include == "Object":
        row["object"] = item
    elif include != "None":
        row["object"] = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": item["metadata"],
        }
    return row
