"""Who is where in the lab's network: an address plan without any doing."""

from dataclasses import dataclass

LAN = "192.168.1.0/24"
POD_RANGE = "10.244.0.0/16"
SERVICE_RANGE = "10.96.0.0/16"
CLIENT_ADDRESS = "192.168.1.35"
DNS_ADDRESS = "10.96.0.10"
CLUSTER_DOMAIN = "cluster.local"
NODE_PORT = 32604
ROUTED_GATEWAY = "169.254.1.1"
"""What a routed pod takes for its gateway, as Calico has it: nobody has it, the node answers for it."""
OVERLAY_PORT = 8472
"""VXLAN's, as flannel has it on Linux."""


@dataclass(frozen=True)
class Node:
    """A node of the cluster.

    Attributes:
        number: 1 and up; its pods live in 10.244.NUMBER.0/24.
        address: Its address on the LAN.
    """

    number: int
    address: str

    @property
    def name(self) -> str:
        """Its name in the cluster, which is its host name, too."""
        return f"k8s-node{self.number:02}"

    @property
    def pod_range(self) -> str:
        """Where the addresses of its pods come from."""
        return f"10.244.{self.number}.0/24"

    @property
    def gateway(self) -> str:
        """The address of its bridge cni0: its pods' default gateway."""
        return f"10.244.{self.number}.1"

    @property
    def routed_range(self) -> str:
        """Of its pods without a bridge."""
        return f"10.244.{10 + self.number}.0/24"

    @property
    def overlay_range(self) -> str:
        """Of its pods that reach other nodes' through VXLAN."""
        return f"10.244.{20 + self.number}.0/24"

    @property
    def overlay_gateway(self) -> str:
        """The address of its bridge cni1."""
        return f"10.244.{20 + self.number}.1"

    @property
    def overlay_address(self) -> str:
        """The address of its end of the VXLAN: the first of the range, as flannel has it."""
        return f"10.244.{20 + self.number}.0"

    @property
    def lan_range(self) -> str:
        """Of its pods that are hosts of the LAN themselves (macvlan)."""
        return f"192.168.1.{32 * (self.number + 1)}/27"

    @property
    def second_range(self) -> str:
        """Of its pods' second interfaces: a network of this node alone."""
        return f"172.16.{self.number}.0/24"

    @property
    def address6(self) -> str:
        """Its IPv6 address on the LAN."""
        return f"fd00:192:168:1::{self.number + 19}"

    @property
    def pod_range6(self) -> str:
        """The IPv6 addresses of its pods on cni0."""
        return f"fd00:10:244:{self.number}::/64"

    @property
    def gateway6(self) -> str:
        """The IPv6 address of cni0."""
        return f"fd00:10:244:{self.number}::1"


NODES = tuple(Node(number, f"192.168.1.{19 + number}") for number in (1, 2, 3))
"""The nodes that run."""

LOST_NODE = Node(4, "192.168.1.23")
"""A node the cluster knows and nobody has heard from: it has no kubelet, no process, no cable."""


def node_named(name: str) -> Node:
    """The running node of that name.

    Raises:
        KeyError: There is none.
    """
    for node in NODES:
        if node.name == name:
            return node
    raise KeyError(f"the lab runs no node {name!r}; it runs {', '.join(node.name for node in NODES)}")
