"""Runs the kubelet of a node, inside the node: `python -m deploy.lab.kubelet --node NAME --socket PATH`."""

import argparse
import asyncio
import os
import signal
from pathlib import Path

from aiohttp import web

from deploy.lab.kubelet.capabilities import in_mask
from deploy.lab.kubelet.children import Children
from deploy.lab.kubelet.image_store import ImageStore
from deploy.lab.kubelet.kubelet import Kubelet
from deploy.lab.kubelet.pod import NodeParts
from deploy.lab.kubelet.pod_network import PodNetwork
from deploy.lab.kubelet.runtime import Runtime
from deploy.lab.kubelet.server import application
from deploy.lab.node.boot import IMAGES, PODS
from deploy.lab.plan import node_named


async def serve(node_name: str, socket: Path) -> None:
    """Runs the kubelet until SIGTERM."""
    node = node_named(node_name)
    children = Children()
    parts = NodeParts(
        children=children,
        runtime=Runtime(children),
        network=PodNetwork(node, children),
        images=ImageStore(IMAGES),
        host_address=node.address,
        capabilities=_own_capabilities(),
        pods=PODS / "pods",
    )
    runner = web.AppRunner(application(Kubelet(parts)), access_log=None, shutdown_timeout=1)
    await runner.setup()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await web.UnixSite(runner, str(socket)).start()
    await ended.wait()
    await runner.cleanup()


def _own_capabilities() -> frozenset[str]:
    lines = Path("/proc/self/status").read_text().splitlines()
    return in_mask(next(int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")))


def main() -> None:
    """Reads the command line and serves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--node", required=True)
    parser.add_argument("--socket", required=True, type=Path)
    options = parser.parse_args()
    os.umask(0o022)
    # A lab that was started in the background has these ignored; a runtime starts containers with neither.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    options.socket.unlink(missing_ok=True)
    asyncio.run(serve(options.node, options.socket))


if __name__ == "__main__":
    main()
