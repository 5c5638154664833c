"""The Deployment and the bare pods: pure."""

from typing import Any

from deploy.lab.plan import LOST_NODE, NODES
from deploy.lab.workloads.services import CHEDDAR_LABELS, dns_arguments

READY = (
    ("kube-system", "dns"),
    ("traefik", "distroless"),
    ("traefik", "hostnet"),
    ("traefik", "shopper"),
    ("traefik", "tls"),
)
"""The bare pods that become Ready."""

_HASH = "845749dbd6"
_SUFFIXES = ("7kq2x", "zcdjm", "n8bvt")
_CHEDDAR_LABELS = CHEDDAR_LABELS | {"version": "v0.0.1"}
_LOCKED_DOWN = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 65532,
}


def cheddar() -> list[dict[str, Any]]:
    """A Deployment with three replicas, one per node, whose names are the same in every lab.

    The Deployment adopts the ReplicaSet, and that the pods: they carry the labels that both select.
    """
    hashed = _CHEDDAR_LABELS | {"pod-template-hash": _HASH}
    return [
        _set_of_cheddars("Deployment", "cheddar", CHEDDAR_LABELS, _CHEDDAR_LABELS),
        _set_of_cheddars(
            "ReplicaSet", f"cheddar-{_HASH}", CHEDDAR_LABELS | {"pod-template-hash": _HASH}, hashed
        ),
        *(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "namespace": "traefik",
                    "name": f"cheddar-{_HASH}-{suffix}",
                    "generateName": f"cheddar-{_HASH}-",
                    "labels": hashed,
                },
                "spec": {"nodeName": node.name, **_cheddar_spec()},
            }
            for node, suffix in zip(NODES, _SUFFIXES, strict=True)
        ),
    ]


def _set_of_cheddars(
    kind: str, name: str, selected: dict[str, str], labels: dict[str, str]
) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"namespace": "traefik", "name": name, "labels": selected},
        "spec": {
            "replicas": len(NODES),
            "selector": {"matchLabels": selected},
            "template": {"metadata": {"labels": labels}, "spec": _cheddar_spec()},
        },
    }


def pods() -> list[dict[str, Any]]:
    """One pod of every kind that a capture tool meets, the impossible ones included."""
    first, second, third = (node.name for node in NODES)
    return [
        _pod("kube-system", "dns", third, _dns(), {"k8s-app": "kube-dns"}),
        _pod("traefik", "distroless", first, _distroless()),
        _pod("traefik", "hostnet", second, _web("distroless:lab", 8080), hostNetwork=True),
        _pod("traefik", "shopper", first, {"command": ["sleep", "infinity"], "image": "cheddar:lab"}),
        _pod("traefik", "tls", second, _tls()),
        _pod(
            "traefik", "unschedulable", None, _web("cheddar:lab", 80), nodeSelector={"cheese-cellar": "true"}
        ),
        _pod(
            "traefik", "finished", third, {"command": ["true"], "image": "cheddar:lab"}, restartPolicy="Never"
        ),
        _lost(),
    ]


def _cheddar_spec() -> dict[str, Any]:
    return {
        "containers": [
            _web("cheddar:lab", 80)
            | {
                "name": "cheese",
                "readinessProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 2},
                "resources": {
                    "limits": {"memory": "128Mi"},
                    "requests": {"cpu": "10m", "memory": "16Mi"},
                },
            }
        ],
        "terminationGracePeriodSeconds": 1,
        "topologySpreadConstraints": [
            {
                "labelSelector": {"matchLabels": CHEDDAR_LABELS},
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "DoNotSchedule",
            }
        ],
    }


def _pod(
    namespace: str,
    name: str,
    node: str | None,
    container: dict[str, Any],
    labels: dict[str, str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name, "labels": labels or {"app": name}},
        "spec": {
            **({} if node is None else {"nodeName": node}),
            "containers": [{"name": "main", "imagePullPolicy": "IfNotPresent"} | container],
            "terminationGracePeriodSeconds": 1,
            **spec,
        },
    }


def _web(image: str, port: int) -> dict[str, Any]:
    return {"image": image, "args": ["--port", str(port)], "ports": [{"containerPort": port}]}


def _distroless() -> dict[str, Any]:
    return _web("distroless:lab", 8080) | {"securityContext": _LOCKED_DOWN}


def _tls() -> dict[str, Any]:
    certificate = ["--certificate", "/srv/tls.crt", "--key", "/srv/tls.key"]
    return {
        "image": "tls:lab",
        "args": ["--port", "8443", *certificate],
        "ports": [{"containerPort": 8443}],
        "readinessProbe": {"tcpSocket": {"port": 8443}, "periodSeconds": 5},
    }


def _dns() -> dict[str, Any]:
    return {
        "image": "dns:lab",
        "args": dns_arguments(),
        "ports": [{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53, "protocol": "TCP"}],
        "readinessProbe": {"tcpSocket": {"port": 53}, "periodSeconds": 5},
        "securityContext": {
            "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE", "SETGID", "SETUID"]}
        },
    }


def _lost() -> dict[str, Any]:
    """Recorded as running on a node that nobody hears of."""
    pod = _pod("traefik", "lost", LOST_NODE.name, _web("cheddar:lab", 80))
    began = "2026-01-01T00:00:00Z"
    conditions = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    pod["status"] = {
        "phase": "Running",
        "hostIP": LOST_NODE.address,
        "hostIPs": [{"ip": LOST_NODE.address}],
        "podIP": "10.244.4.2",
        "podIPs": [{"ip": "10.244.4.2"}],
        "qosClass": "BestEffort",
        "startTime": began,
        "conditions": [
            {"type": kind, "status": "False" if kind == "Ready" else "True", "lastTransitionTime": began}
            for kind in conditions
        ],
        "containerStatuses": [
            {
                "name": "main",
                "image": "cheddar:lab",
                "imageID": f"sha256:{0:064x}",
                "containerID": f"containerd://{4:064x}",
                "state": {"running": {"startedAt": began}},
                "lastState": {},
                "ready": True,
                "started": True,
                "restartCount": 0,
            }
        ],
    }
    return pod
