"""Who is where in the lab's network: an address plan without any doing."""

from dataclasses import dataclass

LAN = "192.168.1.0/24"
POD_RANGE = "10.244.0.0/16"
SERVICE_RANGE = "10.96.0.0/16"
CLIENT_ADDRESS = "192.168.1.35"
DNS_ADDRESS = "10.96.0.10"
CLUSTER_DOMAIN = "cluster.local"
NODE_PORT = 32604


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
