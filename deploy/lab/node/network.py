"""A node's own network: its address on the LAN, its pods' bridges, the ways to the other nodes' pods.

Most pods are on cni0, and their packets are routed from node to node. Beside it stands what pods of other
topologies need (`deploy/lab/kubelet/topologies.py`): IPv6 on the same bridge, a bridge cni1 whose packets go
to other nodes through VXLAN as flannel sends them, and a bridge br1 for second interfaces.
"""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from deploy.lab.plan import NODES, OVERLAY_PORT, ROUTED_GATEWAY, SERVICE_RANGE, Node

BRIDGE = "cni0"
OVERLAY_BRIDGE = "cni1"
SECOND_BRIDGE = "br1"
_OVERLAY = "flannel.1"
_INDEX = 30_000
"""Far from the indexes that pods' interfaces get."""

_SETTINGS = Path("/proc/sys/net")
_SYSCTLS = {
    "ipv4/ip_forward": "1",
    "bridge/bridge-nf-call-iptables": "1",
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
    "ipv6/conf/all/disable_ipv6": "0",
    "ipv6/conf/all/forwarding": "1",
}
"""What Kubernetes asks of a node: forwarding, and rules that packets between pods of one bridge meet, too."""


def commands(node: Node) -> list[str]:
    """The ip(8) commands that give the node its addresses and routes: none of them leaves the lab."""
    others = [other for other in NODES if other != node]
    overlay = _hardware_address(node.overlay_gateway)
    return [
        "link set lo up",
        f"addr add {node.address}/24 dev eth0",
        "link set eth0 up",
        f"link add {BRIDGE} index 3 address {_hardware_address(node.gateway)} type bridge",
        f"addr add {node.gateway}/24 dev {BRIDGE}",
        f"link set {BRIDGE} up",
        *(f"route add {other.pod_range} via {other.address}" for other in others),
        *(f"route add {other.routed_range} via {other.address}" for other in others),
        # A connection to a Service is rewritten only after it has found a way out; this is that way.
        f"route add {SERVICE_RANGE} dev eth0",
        # A node answers ARP only for what it could send on; elsewhere the default route is this one's way.
        f"route add {ROUTED_GATEWAY} dev eth0",
        f"link add {SECOND_BRIDGE} index {_INDEX} type bridge",
        f"link set {SECOND_BRIDGE} up",
        f"link add {OVERLAY_BRIDGE} index {_INDEX + 1} address {overlay} type bridge",
        f"addr add {node.overlay_gateway}/24 dev {OVERLAY_BRIDGE}",
        f"link set {OVERLAY_BRIDGE} up",
    ]


def commands6(node: Node) -> list[str]:
    """The same for IPv6."""
    return [
        f"addr add {node.address6}/64 dev eth0 nodad",
        f"addr add {node.gateway6}/64 dev {BRIDGE} nodad",
        *(f"route add {other.pod_range6} via {other.address6}" for other in NODES if other != node),
    ]


def overlay_commands(node: Node) -> list[str]:
    """Those that make the VXLAN behind cni1, which learns nothing: all is written down."""
    others = [other for other in NODES if other != node]
    own = _hardware_address(node.overlay_address)
    options = f"id 1 local {node.address} dev eth0 dstport {OVERLAY_PORT} nolearning"
    return [
        f"link add {_OVERLAY} index {_INDEX + 2} address {own} type vxlan {options}",
        f"addr add {node.overlay_address}/32 dev {_OVERLAY}",
        f"link set {_OVERLAY} up",
        *(
            f"neigh add {other.overlay_address} lladdr {_hardware_address(other.overlay_address)} "
            f"dev {_OVERLAY} nud permanent"
            for other in others
        ),
        *(
            f"route add {other.overlay_range} via {other.overlay_address} dev {_OVERLAY} onlink"
            for other in others
        ),
    ]


def overlay_forwarding(node: Node) -> list[str]:
    """The bridge(8) commands that tell the VXLAN behind which node each MAC address is."""
    return [
        f"fdb append {_hardware_address(other.overlay_address)} dev {_OVERLAY} dst {other.address}"
        for other in NODES
        if other != node
    ]


def _hardware_address(address: str) -> str:
    """Made of an IPv4 address, so that it does not change with the pods that come and go."""
    return ":".join(["0a", "58", *(f"{int(part):02x}" for part in address.split("."))])


def configure(node: Node) -> None:
    """Sets the node's network up; a kernel without IPv6 or VXLAN goes without, and the node's log says so.

    Raises:
        subprocess.CalledProcessError: ip(8) refused; it has said why on standard error.
    """
    for name, value in _SYSCTLS.items():
        path = _SETTINGS / name
        if path.exists():
            path.write_text(value)
    _batch("ip", commands(node))
    if (_SETTINGS / "ipv6").exists():
        _batch("ip", commands6(node))
    else:
        print("this kernel has no IPv6: no pod of this node can be dual-stack", file=sys.stderr)
    try:
        _batch("ip", overlay_commands(node))
        _batch("bridge", overlay_forwarding(node))
    except subprocess.CalledProcessError:
        print("this kernel has no VXLAN: no pod of this node can be on the overlay", file=sys.stderr)


def _batch(program: str, lines: Iterable[str]) -> None:
    subprocess.run([program, "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)
