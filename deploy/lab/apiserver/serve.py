"""Everything that makes one running API server: store, server, controllers, links to the kubelets."""

import asyncio
import contextlib
import fcntl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TextIO

from aiohttp import web

from deploy.lab.apiserver import bootstrap, kubeconfig
from deploy.lab.apiserver.app import Server
from deploy.lab.apiserver.controllers import loop, namespaces
from deploy.lab.apiserver.controllers.cluster import Cluster
from deploy.lab.apiserver.events import Recorder
from deploy.lab.apiserver.kubelets import Kubelets
from deploy.lab.apiserver.pki import Authority
from deploy.lab.apiserver.registry import Registry
from deploy.lab.apiserver.requestlog import RequestLog
from deploy.lab.apiserver.store import Store
from deploy.lab.apiserver.tokens import Tokens
from deploy.lab.apiserver.users import MASTERS

ADMIN = "lab-admin"
NODE_GRACE_SECONDS = 6.0
"""Kubernetes waits 50 s by default; the lab's kubelets are asked every 2 s."""

_HOST = "127.0.0.1"
_PORT = "port"


@contextlib.asynccontextmanager
async def serve(
    state: Path, sockets: Path, port: int = 0, node_grace_seconds: float = NODE_GRACE_SECONDS
) -> AsyncIterator[str]:
    """Runs an API server.

    Args:
        state: Its directory, which must be there: `apiserver.sqlite3`, `pki/`, `requests.jsonl` and
            `kubeconfig` are written, `seed/*.json` is read when the store is new.
        sockets: Where the kubelets' sockets are.
        port: 0 for the one it had before, or a free one.
        node_grace_seconds: How long a kubelet may be silent before its node is called unknown.

    Yields:
        Its URL, when it answers and the kubeconfig is there.

    Raises:
        OSError: The port is taken or the directory cannot be written.
        SeedError: A seed was refused.
    """
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(_lock(state / "apiserver.lock").close)
        store = Store(state / "apiserver.sqlite3")
        stack.callback(store.close)
        cluster = Cluster(store, Registry(store), Recorder(store))
        authority = Authority(state / "pki")
        store.keep_fact("ca", authority.certificate.decode())
        bootstrap.populate(cluster, state / "seed")
        log = RequestLog(state / "requests.jsonl")
        stack.callback(log.close)
        server = Server(cluster, Tokens(store), sockets, log)
        url = await _listen(stack, server, authority, store, port)
        links = Kubelets(cluster, sockets, node_grace_seconds)
        stack.callback(links.follow())
        stack.push_async_callback(links.end)
        stack.callback(namespaces.follow(cluster))
        controllers = asyncio.create_task(loop.run(cluster), name="controllers")
        stack.push_async_callback(_cancelled, controllers)
        admin = authority.client(ADMIN, (MASTERS,))
        kubeconfig.write(
            state / "kubeconfig", kubeconfig.for_client(url, authority.certificate, ADMIN, admin)
        )
        yield url


def _lock(path: Path) -> TextIO:
    """Two servers on one store would ruin it. The lock goes with the process, however that ends."""
    file = path.open("a", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise OSError(f"another one runs in {path.parent}") from None
    return file


async def _listen(
    stack: contextlib.AsyncExitStack, server: Server, authority: Authority, store: Store, port: int
) -> str:
    runner = web.AppRunner(
        server.application(), access_log=None, handler_cancellation=True, shutdown_timeout=1.0
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    context = authority.server_context()
    before = int(store.fact(_PORT) or 0)
    try:
        await web.TCPSite(runner, _HOST, port or before, ssl_context=context).start()
    except OSError:
        if port or not before:
            raise
        # Somebody else has taken the port meanwhile: kubeconfigs are written anew then.
        await web.TCPSite(runner, _HOST, 0, ssl_context=context).start()
    used = runner.addresses[0][1]
    store.keep_fact(_PORT, str(used))
    return f"https://{_HOST}:{used}"


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
