"""A node's own network: its address on the LAN, its pods' bridge, the ways to the other nodes' pods."""

import subprocess
from pathlib import Path

from deploy.lab.plan import NODES, SERVICE_RANGE, Node

BRIDGE = "cni0"
_SYSCTLS = {
    "ipv4/ip_forward": "1",
    "bridge/bridge-nf-call-iptables": "1",
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
}
"""What Kubernetes asks of a node: forwarding, and rules that packets between pods of one bridge meet, too."""


def commands(node: Node) -> list[str]:
    """The ip(8) commands that give the node its addresses and routes: none of them leaves the lab."""
    return [
        "link set lo up",
        f"addr add {node.address}/24 dev eth0",
        "link set eth0 up",
        f"link add {BRIDGE} index 3 address {_hardware_address(node)} type bridge",
        f"addr add {node.gateway}/24 dev {BRIDGE}",
        f"link set {BRIDGE} up",
        *(f"route add {other.pod_range} via {other.address}" for other in NODES if other != node),
        # A connection to a Service is rewritten only after it has found a way out; this is that way.
        f"route add {SERVICE_RANGE} dev eth0",
    ]


def _hardware_address(node: Node) -> str:
    """The bridge's, made of its address, so that it does not change with the pods that come and go."""
    return ":".join(["0a", "58", *(f"{int(part):02x}" for part in node.gateway.split("."))])


def configure(node: Node) -> None:
    """Sets the node's network up.

    Raises:
        subprocess.CalledProcessError: ip(8) refused; it has said why on standard error.
    """
    for name, value in _SYSCTLS.items():
        path = Path("/proc/sys/net") / name
        if path.exists():
            path.write_text(value)
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands(node)) + "\n", text=True, check=True)
