"""The recorded exec handshakes and frames, through API server, kubelet and a real process.

The recorded pod's name is replaced by one of the lab's. Compared is what every run of a cluster has in
common: the handshake, the refusals word for word, what each channel carries, the Status, the order of first
frame, Status and close. Not compared: how output is cut into frames (the recorded runs differ in it, too) and
the value of `iflink`.
"""

import base64
import json
import ssl
from pathlib import Path
from typing import Any

import pytest
import websocket
import yaml

EVIDENCE = Path(__file__).parents[2] / "evidence"
RECORDED = json.loads((EVIDENCE / "exec-websocket.json").read_text())
RECORDED_POD = "cheddar-655d8555f-5hfjj"
STDOUT, STDERR, STATUS = 1, 2, 3
LARGEST_FRAME = 32768


class Exec:
    """One exec: the handshake's answer and every frame until the close."""

    def __init__(self, lab: Any, path: str, protocol: str) -> None:
        config = yaml.safe_load((lab.directory / "kubeconfig").read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        context = ssl.create_default_context(cadata=_decoded(cluster["certificate-authority-data"]))
        pair = lab.directory / "exec-test-client.pem"
        pair.write_text(_decoded(user["client-certificate-data"]) + _decoded(user["client-key-data"]))
        context.load_cert_chain(pair)
        pair.unlink()
        self.frames: list[tuple[int, bytes]] = []
        self.code, self.body, self.subprotocol = 101, b"", None
        socket = websocket.WebSocket(sslopt={"context": context})
        try:
            socket.connect(cluster["server"].replace("https", "wss") + path, subprotocols=[protocol])
        except websocket.WebSocketBadStatusException as refusal:
            self.code, self.body = refusal.status_code, refusal.resp_body or b""
            return
        self.subprotocol = socket.getsubprotocol()
        while True:
            opcode, data = socket.recv_data()
            self.frames.append((opcode, data))
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                break
        socket.shutdown()

    def channel(self, number: int) -> bytes:
        return b"".join(data[1:] for opcode, data in self.frames if opcode == 2 and data[0] == number)


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()


def _frames(recorded: dict[str, Any], channel: int) -> list[dict[str, Any]]:
    return [frame for frame in recorded["frames"] if frame["channel"] == channel]


def _length(frame: dict[str, Any]) -> int:
    return int(frame.get("length", len(base64.b64decode(frame["data_base64"].rstrip(".")))))


@pytest.fixture(scope="module")
def pod(lab: Any) -> str:
    name: str = lab.pods("task=cheddar")[0]["metadata"]["name"]
    return name


@pytest.mark.parametrize(
    "recorded", RECORDED, ids=[f"{one['request']['subprotocol'][:2]}-{n}" for n, one in enumerate(RECORDED)]
)
def test_a_recorded_exec_is_answered_as_recorded(lab: Any, pod: str, recorded: dict[str, Any]) -> None:
    path = recorded["request"]["path"].replace(RECORDED_POD, pod)

    got = Exec(lab, path, recorded["request"]["subprotocol"])

    handshake = recorded["handshake"]
    assert got.code == handshake["status"]
    if got.code != 101:
        assert json.loads(got.body) == json.loads(handshake["body"].replace(RECORDED_POD, pod))
        return
    assert got.subprotocol == handshake["subprotocol"]
    assert got.frames[0] == (2, bytes([STDOUT]))
    assert got.frames[-1] == (8, (1000).to_bytes(2, "big"))
    assert got.frames[-2][1][0] == STATUS
    assert all(len(data) <= LARGEST_FRAME + 1 for _, data in got.frames)
    _compare_output(got, recorded)
    _compare_status(got, recorded)


def _compare_output(got: Exec, recorded: dict[str, Any]) -> None:
    for channel in (STDOUT, STDERR):
        frames = _frames(recorded, channel)
        if any("length" in frame for frame in frames):
            assert len(got.channel(channel)) == sum(map(_length, frames))
        elif "iflink" in recorded["request"]["path"]:
            assert got.channel(channel).strip().isdigit() == bool(frames[1:])
        else:
            assert got.channel(channel) == b"".join(base64.b64decode(f["data_base64"]) for f in frames)


def _compare_status(got: Exec, recorded: dict[str, Any]) -> None:
    frame = _frames(recorded, STATUS)[-1]
    status = got.channel(STATUS)
    if "length" in frame:
        assert status.startswith(frame["data_text"].encode())
        assert len(status) == frame["length"]
    else:
        assert json.loads(status) == json.loads(frame["data_text"])


@pytest.mark.parametrize("phase", ["Pending"])
def test_exec_into_a_pod_without_a_node_is_refused(lab: Any, phase: str) -> None:
    waiting = [one for one in lab.pods() if one["status"]["phase"] == phase and "nodeName" not in one["spec"]]
    name = waiting[0]["metadata"]["name"]

    got = Exec(
        lab, f"/api/v1/namespaces/traefik/pods/{name}/exec?command=true&stdout=true", "v5.channel.k8s.io"
    )

    assert got.code == 400
    assert json.loads(got.body)["message"] == f"pod {name} does not have a host assigned"


def test_exec_into_a_pod_on_a_lost_node_says_that_the_node_cannot_be_reached(lab: Any) -> None:
    path = "/api/v1/namespaces/traefik/pods/lost/exec?command=true&stdout=true"

    got = Exec(lab, path, "v5.channel.k8s.io")

    assert got.code == 500
    assert json.loads(got.body)["message"].startswith("error dialing backend: ")
