"""`python -m deploy.lab.apiserver --dir DIR [--port PORT] [--sockets DIR] [--node-grace SECONDS]`."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from deploy.lab.apiserver import sockets
from deploy.lab.apiserver.bootstrap import SeedError
from deploy.lab.apiserver.serve import NODE_GRACE_SECONDS, serve


def main() -> int:
    """Serves until SIGTERM or SIGINT. 0: ended in good order; 1: could not start, and one line says why."""
    parser = argparse.ArgumentParser(prog="python -m deploy.lab.apiserver")
    parser.add_argument("--dir", type=Path, required=True, help="the lab's state directory")
    parser.add_argument("--port", type=int, default=0, help="0: the one it had before, else a free one")
    parser.add_argument("--sockets", type=Path, help="where the kubelets' sockets are; follows from --dir")
    parser.add_argument(
        "--node-grace",
        type=float,
        default=NODE_GRACE_SECONDS,
        help="seconds of silence after which a node is called unknown",
    )
    arguments = parser.parse_args()
    state: Path = arguments.dir.resolve()
    try:
        state.mkdir(parents=True, exist_ok=True)
        where = arguments.sockets or sockets.directory(state)
        asyncio.run(_until_told(state, where, arguments.port, arguments.node_grace))
    except (OSError, SeedError) as error:
        print(f"the API server cannot start: {error}", file=sys.stderr)
        return 1
    return 0


async def _until_told(state: Path, socket_directory: Path, port: int, node_grace: float) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with serve(state, socket_directory, port, node_grace) as url:
        print(f"Kubernetes API at {url}", flush=True)
        await told.wait()


if __name__ == "__main__":
    sys.exit(main())
