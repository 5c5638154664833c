"""A pod's cable: a veth pair from the pod's network namespace to the node's bridge."""

from deploy.lab.kubelet.addresses import Addresses, interface_name
from deploy.lab.kubelet.children import Children
from deploy.lab.node.network import BRIDGE
from deploy.lab.plan import POD_RANGE, Node

_POD_INDEX = 2
"""Every pod's eth0 has this index in its own namespace, as in a real cluster: it tells nothing."""


class PodNetwork:
    """Connects the pods of a node."""

    def __init__(self, node: Node, children: Children) -> None:
        self._node = node
        self._children = children
        self._addresses = Addresses(node.pod_range)

    async def attach(self, uid: str, process: int) -> str:
        """Gives the network namespace of a process an eth0 with an address, which is returned.

        Raises:
            RuntimeError: ip(8) refused.
        """
        address = self._addresses.take()
        try:
            await self._connect(interface_name(uid), process, address)
        except RuntimeError:
            await self.detach(uid, address)
            raise
        return address

    async def _connect(self, name: str, process: int, address: str) -> None:
        await self._ip(
            [],
            f"link add {name} index {self._addresses.interface_index()} type veth "
            f"peer name eth0 netns {process} index {_POD_INDEX}",
            f"link set {name} master {BRIDGE}",
            f"link set {name} type bridge_slave hairpin on",
            f"link set {name} up",
        )
        await self._ip(
            ["nsenter", "--target", str(process), "--net", "--"],
            "link set lo up",
            "link set eth0 up",
            f"addr add {address}/24 dev eth0",
            f"route add {POD_RANGE} via {self._node.gateway}",
            f"route add default via {self._node.gateway}",
        )

    async def detach(self, uid: str, address: str) -> None:
        """Removes a pod's cable, if it is still there."""
        await self._children.run(["ip", "link", "delete", interface_name(uid)])
        self._addresses.give_back(address)

    async def _ip(self, prefix: list[str], *lines: str) -> None:
        done = await self._children.run([*prefix, "ip", "-batch", "-"], "\n".join(lines) + "\n")
        if done.code:
            raise RuntimeError(f"ip failed: {done.errors.decode(errors='replace').strip()}")
