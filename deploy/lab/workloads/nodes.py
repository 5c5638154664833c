"""The Node objects: pure."""

from typing import Any

from deploy.lab.plan import LOST_NODE, NODES, Node


def nodes() -> list[dict[str, Any]]:
    """The nodes that run, and one the cluster has lost: nobody reports for it, so it is NotReady."""
    return [_node(node) for node in (*NODES, LOST_NODE)]


def _node(node: Node) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": node.name,
            "labels": {
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": node.name,
                "kubernetes.io/os": "linux",
            },
        },
        "spec": {"podCIDR": node.pod_range, "podCIDRs": [node.pod_range]},
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": node.address},
                {"type": "Hostname", "address": node.name},
            ],
            "capacity": {"cpu": "2", "memory": "4Gi", "pods": "110"},
            "allocatable": {"cpu": "2", "memory": "4Gi", "pods": "110"},
            "nodeInfo": {
                "architecture": "amd64",
                "containerRuntimeVersion": "containerd://1.6.20",
                "kubeletVersion": "v1.36.2",
                "operatingSystem": "linux",
                "osImage": "Debian GNU/Linux 12 (bookworm)",
            },
        },
    }
