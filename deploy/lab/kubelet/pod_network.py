"""A pod's cable: what a CNI plugin would do, as the pod's annotations choose it.

`lab/network` names one of the topologies, `lab/decoys` wants decoys around the pod, `lab/address` and
`lab/index` want the IPv4 address and the index of the node's link that an earlier pod had.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.lab.kubelet.addresses import Addresses
from deploy.lab.kubelet.announce import announce
from deploy.lab.kubelet.children import Children
from deploy.lab.kubelet.decoys import Decoys, decoys
from deploy.lab.kubelet.topologies import TOPOLOGIES, Place, Wiring
from deploy.lab.plan import Node

NETWORK, DECOYS, ADDRESS, INDEX = "lab/network", "lab/decoys", "lab/address", "lab/index"
_SETTINGS = Path("/proc/sys/net")


@dataclass
class _Cable:
    """What one pod has taken of its node."""

    range: str
    address: str
    removal: tuple[str, ...] = ()


class PodNetwork:
    """Connects the pods of a node."""

    def __init__(self, node: Node, children: Children) -> None:
        self._node = node
        self._children = children
        ranges = {topology.range(node) for topology in TOPOLOGIES.values()}
        self._addresses = {one: Addresses(one) for one in ranges}
        self._indexes = self._addresses[node.pod_range]
        self._cables: dict[str, _Cable] = {}

    async def attach(self, pod: Mapping[str, Any], process: int) -> tuple[str, ...]:
        """Gives the network namespace of a process its interfaces; its addresses, the primary one first.

        Raises:
            LookupError: There is no such topology, or no such address is free.
            RuntimeError: ip(8) refused.
        """
        meta = pod["metadata"]
        wants = meta.get("annotations") or {}
        name = wants.get(NETWORK, "bridge")
        if name not in TOPOLOGIES:
            raise LookupError(f"the lab knows no network {name!r}; it knows {', '.join(TOPOLOGIES)}")
        topology = TOPOLOGIES[name]
        cable = _Cable(topology.range(self._node), "")
        cable.address = self._addresses[cable.range].take(wants.get(ADDRESS))
        self._cables[meta["uid"]] = cable
        indexes = [int(wants[INDEX])] if INDEX in wants else []
        place = Place(
            node=self._node,
            namespace=meta["namespace"],
            pod=meta["name"],
            uid=meta["uid"],
            process=process,
            address=cable.address,
            next_index=lambda: indexes.pop() if indexes else self._indexes.interface_index(),
        )
        wiring = topology.wire(place)
        cable.removal = tuple(f"link delete {link}" for link in wiring.links)
        try:
            await self._connect(wiring, process)
            if wants.get(DECOYS) == "true":
                around = decoys(place, wiring)
                cable.removal += around.removal
                await self._surround(around)
        except (OSError, RuntimeError) as error:
            await self.detach(meta["uid"])
            raise RuntimeError(f"the network {name} cannot be built on this node: {error}") from error
        return wiring.addresses

    async def _connect(self, wiring: Wiring, process: int) -> None:
        await self._run(["ip", "-batch", "-"], wiring.on_node)
        for name, value in wiring.settings.items():
            (_SETTINGS / name).write_text(value)
        inside = ["nsenter", "--target", str(process), "--net", "--", "ip", "-batch", "-"]
        await self._run(inside, wiring.in_pod)
        await asyncio.to_thread(announce, process, wiring.link, "eth0", wiring.addresses)

    async def _surround(self, around: Decoys) -> None:
        await self._run(["ip", "-batch", "-"], around.ip)
        await self._run(["bridge", "-batch", "-"], around.bridge)
        with contextlib.suppress(RuntimeError):
            await self._run(["ip", "-batch", "-"], around.child)

    async def detach(self, uid: str) -> None:
        """Removes what a pod has on its node, if it is still there."""
        cable = self._cables.pop(uid, None)
        if cable is not None:
            # One by one: whatever is gone already must not keep the rest.
            for line in cable.removal:
                await self._children.run(["ip", *line.split()])
            self._addresses[cable.range].give_back(cable.address)

    async def _run(self, program: list[str], lines: tuple[str, ...]) -> None:
        done = await self._children.run(program, "\n".join(lines) + "\n")
        if done.code:
            raise RuntimeError(done.errors.decode(errors="replace").strip())
