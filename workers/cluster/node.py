"""A node as far as a capture needs it, read from the API's own JSON. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Node:
    """One node at one moment.

    Attributes:
        ready: Its kubelet reports and says it is ready.
        addresses: Its InternalIP and ExternalIP addresses.
        why: What Kubernetes says about its not being ready, or "".
    """

    name: str
    ready: bool
    addresses: tuple[str, ...] = ()
    why: str = ""


def node_from_json(node: Mapping[str, Any]) -> Node:
    """Reads a `v1.Node` as the API returns it."""
    status = node.get("status", {})
    ready: Mapping[str, Any] = next((c for c in status.get("conditions") or [] if c["type"] == "Ready"), {})
    is_ready = ready.get("status") == "True"
    return Node(
        name=node["metadata"]["name"],
        ready=is_ready,
        addresses=tuple(a["address"] for a in status.get("addresses") or [] if a["type"].endswith("IP")),
        why="" if is_ready else ready.get("reason") or ready.get("message") or "",
    )
