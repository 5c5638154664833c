"""A real API server in a process of its own, and a client that shows what HTTP says."""

import base64
import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from deploy.lab.apiserver.controllers.cluster import Cluster
from deploy.lab.apiserver.events import Recorder
from deploy.lab.apiserver.registry import Registry
from deploy.lab.apiserver.resources import NAMESPACES, NODES, SERVICEACCOUNTS
from deploy.lab.apiserver.store import Store
from tests.hangs import HANGS

ROOT = Path(__file__).parents[3]
EVIDENCE = ROOT / "tests" / "evidence"
KUBECTL = Path(sys.executable).parent / "kubectl"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    code: int
    headers: dict[str, str]
    body: Any


class Client:
    """Sends requests with a client certificate or a token and shows the answer."""

    def __init__(self, kubeconfig: Path, token: str = "") -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self.context = ssl.create_default_context(cadata=self.authority)
        self.address = urlsplit(cluster["server"]).netloc
        self._token = token
        if not token and "client-key-data" in user:
            with tempfile.NamedTemporaryFile() as pair:
                for part in ("client-certificate-data", "client-key-data"):
                    pair.write(base64.b64decode(user[part]))
                pair.flush()
                self.context.load_cert_chain(pair.name)

    def request(
        self, method: str, path: str, body: Any = None, kind: str = "application/json", **headers: str
    ) -> Answer:
        connection = http.client.HTTPSConnection(self.address, context=self.context, timeout=HANGS)
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        if self._token:
            sent["Authorization"] = f"Bearer {self._token}"
        if body is not None:
            sent["Content-Type"] = kind
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body)
        connection.request(method, path, data, sent)
        response = connection.getresponse()
        text = response.read()
        connection.close()
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        return Answer(response.status, dict(response.headers), json.loads(text) if is_json else text)

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any) -> Answer:
        return self.request("POST", path, body)

    def patch(self, path: str, body: Any, kind: str = "strategic-merge") -> Answer:
        return self.request("PATCH", path, body, f"application/{kind}-patch+json")

    def delete(self, path: str, body: Any = None) -> Answer:
        return self.request("DELETE", path, body)


class ApiServer:
    """`python -m deploy.lab.apiserver` on a directory."""

    def __init__(self, state: Path, *options: str) -> None:
        self.state = state
        self.kubeconfig = state / "kubeconfig"
        self.sockets = state / "run"
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self._caches = tempfile.mkdtemp(prefix="kubectl-cache-")

    def start(self) -> None:
        self.kubeconfig.unlink(missing_ok=True)
        command = [sys.executable, "-m", "deploy.lab.apiserver", "--dir", str(self.state)]
        command += ["--sockets", str(self.sockets), *self._options]
        self._process = subprocess.Popen(
            command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        give_up = time.monotonic() + HANGS
        while not self.kubeconfig.exists():
            assert self._process.poll() is None, self._process.communicate()[0]
            assert time.monotonic() < give_up, "the API server did not start"
            time.sleep(0.05)

    def end(self, number: int = signal.SIGTERM) -> str:
        if self._process is None:
            return ""
        process, self._process = self._process, None
        process.send_signal(number)
        try:
            return process.communicate(timeout=HANGS)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise

    def forget(self) -> None:
        self.end()
        shutil.rmtree(self._caches, ignore_errors=True)

    def client(self) -> Client:
        return Client(self.kubeconfig)

    def account(self, namespace: str, name: str) -> Client:
        """A client that is a service account."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        answer = self.client().post(path, {"spec": {}})
        assert answer.code == 201, answer.body
        return Client(self.kubeconfig, answer.body["status"]["token"])

    def kubectl(self, *arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(KUBECTL), f"--cache-dir={self._caches}", *arguments],
            env={"PATH": os.environ["PATH"], "KUBECONFIG": str(self.kubeconfig), "HOME": self._caches},
            input=given,
            capture_output=True,
            text=True,
            timeout=HANGS,
            check=False,
        )


@pytest.fixture(scope="session")
def make_server() -> Callable[[Path], ApiServer]:
    """Starts one on a directory; who asks for it ends it with `forget`."""

    def make(state: Path) -> ApiServer:
        server = ApiServer(state, "--node-grace", "3600")
        try:
            server.start()
        except AssertionError:
            server.forget()
            raise
        return server

    return make


@pytest.fixture
def api_server(tmp_path: Path) -> Iterator[ApiServer]:
    """One of this test's own, not started."""
    server = ApiServer(tmp_path, "--node-grace", "3600")
    yield server
    server.forget()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """One that the tests of a file share, with a namespace `traefik` and two nodes that are ready."""
    state = tmp_path_factory.mktemp("apiserver")
    seed = state / "seed"
    seed.mkdir()
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "traefik"}}
    nodes = json.loads((EVIDENCE / "nodes.json").read_text())["items"]
    (seed / "objects.json").write_text(json.dumps([namespace, *nodes]))
    server = ApiServer(state, "--node-grace", "3600")
    try:
        server.start()
        yield server
    finally:
        server.forget()


@pytest.fixture(scope="module")
def admin(shared: ApiServer) -> Client:
    """A client of the shared server that may do everything."""
    return shared.client()


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], Any]:
    """Asks again until the answer is true, and returns it."""

    def ask(question: Callable[[], Any], seconds: float = HANGS) -> Any:
        give_up = time.monotonic() + seconds
        while not (answer := question()):
            assert time.monotonic() < give_up, "it did not become true"
            time.sleep(0.05)
        return answer

    return ask


@pytest.fixture
def recorded() -> Callable[[str], Any]:
    """What a real cluster answered."""
    return lambda name: json.loads((EVIDENCE / f"{name}.json").read_text())


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster without a server: namespace `traefik`, nodes `a` and `b` that are ready, no kubelet."""
    store = Store(tmp_path / "store.sqlite3")
    made = Cluster(store, Registry(store), Recorder(store))
    made.registry.create(
        NAMESPACES, "", {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "traefik"}}
    )
    account = {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": "default"}}
    made.registry.create(SERVICEACCOUNTS, "traefik", account)
    for name in ("a", "b"):
        node = {"kind": "Node", "apiVersion": "v1", "metadata": {"name": name}}
        made.store.change(NODES, made.registry.create(NODES, "", node), _make_ready)
    yield made
    store.close()


def _make_ready(node: dict[str, Any]) -> None:
    node["status"] = {"conditions": [{"type": "Ready", "status": "True"}]}
