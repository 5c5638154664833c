"""A pod's sandbox: the pause container that holds its namespaces, and its cable."""

import os
import secrets
from collections.abc import Mapping, Sequence
from io import FileIO
from pathlib import Path
from typing import Any

from deploy.lab.kubelet import oci
from deploy.lab.kubelet.children import Children
from deploy.lab.kubelet.pod_network import PodNetwork
from deploy.lab.kubelet.runtime import Runtime
from deploy.lab.plan import CLUSTER_DOMAIN, DNS_ADDRESS

PAUSE = "pause:lab"
"""The image of every pod's pause container."""


class Sandbox:
    """The sandbox of one pod.

    Attributes:
        id: The pause container's, 64 hexadecimal digits.
        process: The pause process, by its id on the node; 0 before it runs.
        addresses: The pod's, the primary one first.
    """

    def __init__(
        self,
        pod: Mapping[str, Any],
        runtime: Runtime,
        network: PodNetwork,
        children: Children,
        host_address: str,
    ) -> None:
        self.id = secrets.token_hex(32)
        self.process = 0
        self.addresses: tuple[str, ...] = ()
        self._pod = pod
        self._runtime = runtime
        self._network = network
        self._children = children
        self._host_address = host_address

    @property
    def address(self) -> str:
        """The pod's primary address; empty until it has one."""
        return self.addresses[0] if self.addresses else ""

    @property
    def hostname(self) -> str | None:
        """None with hostNetwork: then it is the node's."""
        spec = self._pod["spec"]
        return None if spec.get("hostNetwork") else spec.get("hostname") or self._pod["metadata"]["name"]

    async def start(self, command: Sequence[str], around: oci.Surroundings) -> None:
        """Makes the namespaces, connects them, and lets the pause process hold them.

        Raises:
            RuntimeError: The runtime or the network refused.
        """
        config = oci.sandbox_config(self._pod, command, around)
        with FileIO(os.open("/dev/null", os.O_RDWR), "r+") as nothing:
            self.process = await self._runtime.create(self.id, config, [nothing.fileno()] * 3)
        self._children.watch(self.process)
        if self._pod["spec"].get("hostNetwork"):
            self.addresses = (self._host_address,)
        else:
            self.addresses = await self._network.attach(self._pod, self.process)
        await self._runtime.start(self.id)

    async def remove(self) -> None:
        """Takes everything away; what was never there is no error."""
        await self._network.detach(self._pod["metadata"]["uid"])
        await self._runtime.delete(self.id)
        self.process = 0

    def files(self, folder: Path) -> Sequence[oci.Bind]:
        """Writes the files that the kubelet puts into every container's /etc."""
        meta = self._pod["metadata"]
        name = self.hostname or self._pod["spec"]["nodeName"]
        folder.mkdir(parents=True, exist_ok=True)
        search = [
            f"{meta.get('namespace', 'default')}.svc.{CLUSTER_DOMAIN}",
            f"svc.{CLUSTER_DOMAIN}",
            CLUSTER_DOMAIN,
        ]
        texts = {
            "hostname": f"{name}\n",
            "hosts": f"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n{self.address}\t{name}\n",
            "resolv.conf": f"search {' '.join(search)}\nnameserver {DNS_ADDRESS}\noptions ndots:5\n",
        }
        for file, text in texts.items():
            (folder / file).write_text(text)
        return [oci.Bind(str(folder / file), f"/etc/{file}") for file in texts]
