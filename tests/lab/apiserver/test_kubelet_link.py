"""The link to a kubelet, with a small real one on a socket: pods down, statuses up, logs and exec through."""

import asyncio
import base64
import hashlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

PODS = "/api/v1/namespaces/traefik/pods"
_WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class SmallKubelet:
    """Speaks the contract on a unix socket: remembers what it is told, reports what the test wants."""

    def __init__(self, socket: Path) -> None:
        self.running: dict[str, Any] = {}
        self.stopped: list[tuple[str, str]] = []
        self.scripts: list[str] = []
        self.exec_request = ""
        self.received = bytearray()
        self.exec_over = threading.Event()
        self.answer = b""
        self._unreported: list[Any] = []
        self._socket = socket
        self._reports: list[asyncio.Queue[Any]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._runner: web.AppRunner | None = None

    def start(self) -> None:
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)

    def end(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)

    def close(self) -> None:
        self.end()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def report(self, **status: Any) -> None:
        self._loop.call_soon_threadsafe(self._report, status)

    def _report(self, status: Any) -> None:
        for queue in self._reports:
            queue.put_nowait(status)
        if not self._reports:
            self._unreported.append(status)

    async def _start(self) -> None:
        application = web.Application()
        application.router.add_get("/healthz", self._healthz)
        application.router.add_put("/pods/{uid}", self._run)
        application.router.add_delete("/pods/{uid}", self._stop)
        application.router.add_get("/pods/{uid}/log", self._log)
        application.router.add_get("/pods/{uid}/exec", self._exec)
        application.router.add_get("/status", self._status)
        application.router.add_put("/proxy", self._proxy)
        self._runner = web.AppRunner(
            application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self._socket)).start()

    async def _end(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _run(self, request: web.Request) -> web.Response:
        self.running[request.match_info["uid"]] = await request.json()
        return web.json_response({})

    async def _stop(self, request: web.Request) -> web.Response:
        uid = request.match_info["uid"]
        self.stopped.append((uid, request.query["gracePeriodSeconds"]))
        if self.running.pop(uid, None) is None:
            return web.Response(status=404)
        return web.json_response({})

    async def _status(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        queue: asyncio.Queue[Any] = asyncio.Queue()
        self._reports.append(queue)
        while self._unreported:
            queue.put_nowait(self._unreported.pop(0))
        try:
            while True:
                await response.write(json.dumps(await queue.get()).encode() + b"\n")
        finally:
            self._reports.remove(queue)

    async def _proxy(self, request: web.Request) -> web.Response:
        self.scripts.append(await request.text())
        return web.json_response({})

    async def _log(self, request: web.Request) -> web.StreamResponse:
        if request.query["container"] == "waiting":
            return web.Response(status=400, text='container "waiting" in pod "web" is waiting to start')
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        await response.write(f"asked: {request.query_string}\n".encode())
        return response

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        """A handshake by hand, then `answer`, then whatever comes is kept: no byte may be touched."""
        self.exec_request = request.raw_path
        key = request.headers["Sec-WebSocket-Key"] + _WEBSOCKET_GUID
        accept = base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest()).decode()
        transport = request.transport
        assert transport is not None
        over = asyncio.get_running_loop().create_future()
        keep, self_over = self.received, self.exec_over

        class Rest(asyncio.Protocol):
            def data_received(self, data: bytes) -> None:
                keep.extend(data)
                if keep.endswith(b"bye"):
                    transport.close()

            def connection_lost(self, _error: Exception | None) -> None:
                self_over.set()
                if not over.done():
                    over.set_result(None)
                request.protocol.connection_lost(None)

        transport.set_protocol(Rest())
        head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        transport.write(f"{head}Sec-WebSocket-Accept: {accept}\r\n\r\n".encode() + self.answer)
        await over
        return web.Response(status=101)


@pytest.fixture
def kubelet(shared: Any) -> Iterator[SmallKubelet]:
    """The kubelet of node1."""
    shared.sockets.mkdir(exist_ok=True)
    small = SmallKubelet(shared.sockets / "node1.sock")
    small.start()
    yield small
    small.close()
    (shared.sockets / "node1.sock").unlink(missing_ok=True)


@pytest.fixture
def running(
    admin: Any, kubelet: SmallKubelet, eventually: Any, request: pytest.FixtureRequest
) -> Iterator[Any]:
    """A pod that the kubelet was told to run."""
    name = f"p{hashlib.sha256(request.node.name.encode()).hexdigest()[:8]}"
    spec = {
        "nodeName": "node1",
        "containers": [
            {"name": "web", "image": "busybox:1.35"},
            {"name": "waiting", "image": "busybox:1.35"},
        ],
    }
    made = admin.post(PODS, {"metadata": {"name": name}, "spec": spec}).body
    eventually(lambda: made["metadata"]["uid"] in kubelet.running)
    yield made
    admin.delete(f"{PODS}/{name}?gracePeriodSeconds=0")


def test_a_kubelet_is_given_its_pods_and_its_rules(
    kubelet: SmallKubelet, running: Any, eventually: Any
) -> None:
    told = kubelet.running[running["metadata"]["uid"]]

    assert told["kind"] == "Pod"
    assert told["spec"] == running["spec"]
    assert eventually(lambda: kubelet.scripts)[0].startswith("add table ip kube-proxy\n")


def test_a_reported_status_is_joined_to_the_pod_and_told_as_events(
    admin: Any, kubelet: SmallKubelet, running: Any, eventually: Any, recorded: Callable[[str], Any]
) -> None:
    metadata = running["metadata"]
    status = recorded("pods")["items"][0]["status"]
    status["containerStatuses"][0]["name"] = "web"
    status["conditions"] = [one for one in status["conditions"] if one["type"] != "PodScheduled"]
    kubelet.report(uid=metadata["uid"], status=status)

    path = f"{PODS}/{metadata['name']}"
    got = eventually(
        lambda: admin.get(path).body["status"].get("phase") == "Running" and admin.get(path).body
    )
    events = admin.get(
        f"/api/v1/namespaces/traefik/events?fieldSelector=involvedObject.uid%3D{metadata['uid']}"
    )

    assert set(got["status"]) == set(status)
    assert {one["type"]: one["status"] for one in got["status"]["conditions"]} == dict.fromkeys(
        ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"), "True"
    )
    expected = {
        one["reason"]: one
        for one in recorded("events")["items"]
        if one["source"].get("component") == "kubelet"
    }
    for event in events.body["items"]:
        was = expected[event["reason"]]
        assert set(event) == set(was) - {"kind", "apiVersion"}
        assert event["involvedObject"]["fieldPath"] == "spec.containers{web}"
    assert {one["reason"] for one in events.body["items"]} == {"Pulled", "Created", "Started"}


def test_a_pod_is_gone_when_its_kubelet_says_so(
    admin: Any, kubelet: SmallKubelet, running: Any, eventually: Any
) -> None:
    metadata = running["metadata"]
    path = f"{PODS}/{metadata['name']}"

    admin.delete(f"{path}?gracePeriodSeconds=7")
    eventually(lambda: (metadata["uid"], "7") in kubelet.stopped)
    still = admin.get(path)
    kubelet.report(uid=metadata["uid"], deleted=True)
    eventually(lambda: admin.get(path).code == 404)

    assert "deletionTimestamp" in still.body["metadata"]


def test_a_pod_deleted_by_force_is_stopped_at_once(
    admin: Any, kubelet: SmallKubelet, running: Any, eventually: Any
) -> None:
    metadata = running["metadata"]

    admin.delete(f"{PODS}/{metadata['name']}?gracePeriodSeconds=0")

    assert admin.get(f"{PODS}/{metadata['name']}").code == 404
    eventually(lambda: (metadata["uid"], "0") in kubelet.stopped)


def test_a_kubelet_that_comes_back_is_told_everything_again(
    kubelet: SmallKubelet, running: Any, eventually: Any
) -> None:
    kubelet.end()
    kubelet.running.clear()
    kubelet.scripts.clear()
    kubelet.start()

    eventually(lambda: running["metadata"]["uid"] in kubelet.running and kubelet.scripts)


def test_a_pod_that_is_over_is_not_run_again(
    admin: Any, kubelet: SmallKubelet, running: Any, eventually: Any
) -> None:
    metadata = running["metadata"]
    kubelet.report(uid=metadata["uid"], status={"phase": "Succeeded", "conditions": []})
    eventually(lambda: admin.get(f"{PODS}/{metadata['name']}").body["status"]["phase"] == "Succeeded")

    kubelet.end()
    kubelet.running.clear()
    kubelet.scripts.clear()
    kubelet.start()
    eventually(lambda: kubelet.scripts)
    kubelet.report(uid=metadata["uid"], status={"phase": "Running", "conditions": []})
    probe = admin.post(PODS, {"metadata": {"generateName": "probe-"}, "spec": running["spec"]}).body
    eventually(lambda: probe["metadata"]["uid"] in kubelet.running)

    assert metadata["uid"] not in kubelet.running
    assert admin.get(f"{PODS}/{metadata['name']}").body["status"]["phase"] == "Succeeded"


def test_a_pod_the_server_does_not_know_is_stopped(kubelet: SmallKubelet, eventually: Any) -> None:
    kubelet.report(uid="stranger", status={"phase": "Running"})

    eventually(lambda: ("stranger", "0") in kubelet.stopped)


def test_a_log_comes_through_with_what_was_asked(admin: Any, running: Any) -> None:
    path = f"{PODS}/{running['metadata']['name']}/log"

    answer = admin.get(f"{path}?container=web&tailLines=5&timestamps=true")
    waiting = admin.get(f"{path}?container=waiting")

    assert answer.code == 200
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.body == b"asked: timestamps=true&tailLines=5&container=web\n"
    assert (waiting.code, waiting.body["reason"]) == (400, "BadRequest")
    assert waiting.body["message"] == 'container "waiting" in pod "web" is waiting to start'


class Socket:
    """A raw TLS connection that asks for an exec."""

    def __init__(self, client: Any, path: str) -> None:
        self.context: ssl.SSLContext = client.context
        host, _, port = client.address.partition(":")
        raw = __import__("socket").create_connection((host, int(port)), 20)
        self.socket = self.context.wrap_socket(raw, server_hostname=host)
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {client.address}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Protocol: v5.channel.k8s.io",
        ]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())

    def read(self, length: int) -> bytes:
        data = b""
        while len(data) < length and (piece := self.socket.recv(length - len(data))):
            data += piece
        return data

    def read_all(self) -> bytes:
        data = b""
        while piece := self._receive():
            data += piece
        return data

    def _receive(self) -> bytes:
        try:
            return self.socket.recv(65536)
        except (ssl.SSLError, ConnectionError):
            return b""

    def head(self) -> bytes:
        data = b""
        while not data.endswith(b"\r\n\r\n"):
            data += self.read(1)
        return data


def exec_path(running: Any) -> str:
    return f"{PODS}/{running['metadata']['name']}/exec?container=web&command=a%20b&command=%26&stdout=1&tty=0"


def test_exec_bytes_pass_through_untouched_both_ways(admin: Any, kubelet: SmallKubelet, running: Any) -> None:
    kubelet.answer = bytes(range(256)) * 4096
    socket = Socket(admin, exec_path(running))

    head = socket.head()
    got = socket.read(len(kubelet.answer))
    sent = bytes(reversed(range(256))) * 1000
    socket.socket.sendall(sent + b"bye")
    rest = socket.read_all()
    socket.socket.close()

    assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head  # RFC 6455's own example of this key
    assert got == kubelet.answer
    assert rest == b""
    assert bytes(kubelet.received) == sent + b"bye"
    uid = running["metadata"]["uid"]
    assert kubelet.exec_request == (
        f"/pods/{uid}/exec?container=web&command=a+b&command=%26&stdin=false&stdout=true&stderr=false&tty=false"
    )


def test_a_client_that_goes_is_gone_for_the_kubelet_too(
    admin: Any, kubelet: SmallKubelet, running: Any, shared: Any, eventually: Any
) -> None:
    socket = Socket(admin, exec_path(running))
    socket.head()

    socket.socket.close()

    assert kubelet.exec_over.wait(20)

    def logged() -> Any:
        lines = [json.loads(line) for line in (shared.state / "requests.jsonl").read_text().splitlines()]
        mine = [one for one in lines if one["name"] == running["metadata"]["name"]]
        return [one for one in mine if one["subresource"] == "exec"]

    line = eventually(logged)[0]
    assert (line["code"], line["verb"], line["user"]) == (101, "get", "lab-admin")


def test_a_fault_cuts_an_exec_after_so_many_bytes(admin: Any, kubelet: SmallKubelet, running: Any) -> None:
    kubelet.answer = b"x" * 100_000
    admin.post("/_lab/faults", {"match": {"subresource": "exec"}, "cut_after": 1000})

    first = Socket(admin, exec_path(running))
    cut = first.read_all()
    second = Socket(admin, exec_path(running))
    second.head()
    whole = second.read(100_000)
    for socket in (first, second):
        socket.socket.close()

    assert len(cut) <= 1000
    assert len(whole) == 100_000
    assert admin.get("/_lab/faults").body == []


@pytest.mark.parametrize("code", [429, 500, 503, 504])
def test_a_fault_answers_an_error_as_often_as_asked(admin: Any, code: int) -> None:
    admin.post("/_lab/faults", {"match": {"verb": "list", "resource": "nodes"}, "code": code, "times": 2})

    answers = [admin.get("/api/v1/nodes") for _ in range(3)]

    assert [one.code for one in answers] == [code, code, 200]
    assert answers[0].body["kind"] == "Status"
    if code == 429:
        assert answers[0].headers["Retry-After"] == "1"


def test_a_fault_can_drop_a_connection(admin: Any) -> None:
    admin.post("/_lab/faults", {"match": {"verb": "list", "resource": "nodes"}, "drop": True})

    with pytest.raises((ConnectionError, ssl.SSLError)):
        admin.get("/api/v1/nodes")

    assert admin.get("/api/v1/nodes").code == 200


def test_a_fault_can_lose_the_answer_of_what_took_effect(admin: Any) -> None:
    admin.post("/_lab/faults", {"match": {"verb": "create", "resource": "configmaps"}, "lost": True})
    path = "/api/v1/namespaces/default/configmaps"
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "made"}}

    with pytest.raises((ConnectionError, ssl.SSLError)):
        admin.post(path, made)

    assert admin.get(f"{path}/made").code == 200


def test_faults_are_the_administrators_alone(shared: Any) -> None:
    answer = shared.account("traefik", "default").post("/_lab/faults", {"code": 500})

    assert answer.code == 403


def test_a_fault_that_is_none_is_refused(admin: Any) -> None:
    assert admin.post("/_lab/faults", {"match": {"colour": "red"}}).code == 400
    assert admin.post("/_lab/faults", {"code": 418}).code == 400
    assert admin.post("/_lab/faults", {"nonsense": 1}).code == 400


def test_every_request_is_written_down(shared: Any, admin: Any) -> None:
    admin.get(f"{PODS}/written-down")

    lines = [json.loads(line) for line in (shared.state / "requests.jsonl").read_text().splitlines()]
    line = next(one for one in lines if one["name"] == "written-down")

    del line["time"]
    assert line == {
        "user": "lab-admin",
        "verb": "get",
        "group": "",
        "resource": "pods",
        "subresource": "",
        "namespace": "traefik",
        "name": "written-down",
        "path": f"{PODS}/written-down",
        "code": 404,
    }
