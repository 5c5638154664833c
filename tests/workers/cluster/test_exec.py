import base64
import json
import socket
import threading
import time
import tracemalloc
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kubernetes.client import Configuration

from tests.examples import examples
from tests.hangs import HANGS
from workers.cluster.api import Api
from workers.cluster.cluster import Cluster
from workers.cluster.errors import (
    ClusterError,
    ExecCutError,
    ExecError,
    ExecTimeoutError,
    ForbiddenError,
    OutputTooLongError,
    PodNotFoundError,
    UnreachableError,
)
from workers.cluster.exec import STDERR, STDOUT, ExecStream
from workers.cluster.pod import Pod

EVIDENCE = Path(__file__).parents[2] / "evidence"
RECORDED = json.loads((EVIDENCE / "exec-websocket.json").read_text())
POD = Pod("traefik", "cheddar", "u", "Running")


def run(cluster: Cluster, **limits: Any) -> Any:
    return cluster.run(POD, "cheese", ["true"], **({"seconds": 10} | limits))


def collect(stream: ExecStream, into: bytearray) -> None:
    for _, piece in stream:
        into += piece


def replay(server: Any, wire: Any, recording: dict[str, Any]) -> None:
    """The recorded answer byte for byte (of a long Status only the beginning was recorded)."""
    shake = recording["handshake"]
    if shake["status"] != 101:
        server.json("GET .*/exec", shake["status"], shake["body"].encode())
        return
    frames = []
    for one in recording["frames"]:
        payload = base64.b64decode(one["data_base64"].removesuffix("...") + "==")
        if one["channel"] == STDOUT:
            payload = (
                payload[:1] * one.get("length", 0) or payload
            )  # long frames were recorded by their length
        channel = b"" if one["channel"] is None else bytes([one["channel"]])
        frames.append(wire.frame(one["opcode"], channel + payload))
    server.exec(*frames, subprotocol=shake["subprotocol"])


def title(recording: dict[str, Any]) -> str:
    query = parse_qsl(urlsplit(recording["request"]["path"]).query)
    command = " ".join(value for name, value in query if name == "command")
    return f"{recording['request']['subprotocol'][:2]} {recording['request']['path'].split('/')[6]} {command}"


def outcome(recording: dict[str, Any]) -> Any:
    """What a person would say of the recording."""
    path = recording["request"]["path"]
    for piece, expected in {
        "no-such-pod": PodNotFoundError,
        "no-such-container": ClusterError,
        "no-such-command": ExecError,
        "/distroless/": ExecError,
        "exit+3": (3, b"out\n", b"err\n"),
        "kill+-9": (137, b"", b""),
        "head+-c+70000": (0, bytes(70000), b""),
        "iflink": (0, b"4\n", b""),
    }.items():
        if piece in path:
            return expected
    raise AssertionError(path)


@pytest.mark.parametrize("recording", RECORDED, ids=title)
def test_every_recorded_exec_ends_as_it_did(
    cluster: Cluster, server: Any, wire: Any, recording: dict[str, Any]
) -> None:
    replay(server, wire, recording)
    expected = outcome(recording)
    if isinstance(expected, tuple):
        done = run(cluster)
        assert (done.exit_code, done.stdout, done.stderr) == expected
    else:
        with pytest.raises(expected) as caught:
            run(cluster)
        assert "\n" not in str(caught.value)


def test_a_command_that_is_not_there_is_said_in_the_runtimes_own_last_words(
    cluster: Cluster, server: Any, wire: Any
) -> None:
    words = (
        "error executing command in container: failed to exec in container: failed to start exec "
        f'"{"0f" * 32}": OCI runtime exec failed: exec failed: unable to start container process: exec: '
        '"no-such-command": executable file not found in $PATH: unknown'
    )
    status = {"metadata": {}, "status": "Failure", "message": words, "reason": "InternalError", "code": 500}
    server.exec(wire.message(3, json.dumps(status).encode()), wire.close)
    with pytest.raises(ExecError, match=r'"no-such-command": executable file not found in \$PATH') as caught:
        run(cluster)
    assert len(str(caught.value)) < 300


def test_a_refused_exec_names_the_missing_right(cluster: Cluster, server: Any) -> None:
    refused = next(
        r for r in json.loads((EVIDENCE / "rest.json").read_text()) if "/exec" in r["request"]["path"]
    )
    server.json("GET .*/exec", 403, refused["body"])
    with pytest.raises(ForbiddenError, match="may not create pods/exec in namespace traefik"):
        run(cluster)


def test_every_value_travels_as_an_argument_of_its_own(cluster: Cluster, server: Any, wire: Any) -> None:
    server.exec(wire.success, wire.close)
    argv = ["sh", "-c", 'echo "$1"', "x", "a b", "ü;`$(x)`", "", "-f", "&stdin=true"]
    cluster.run(POD, "cheese", argv, seconds=HANGS)
    query = parse_qsl(urlsplit(server.requests[0].target).query, keep_blank_values=True)
    assert [value for name, value in query if name == "command"] == argv
    assert ("stdin", "false") in query
    assert server.requests[0].headers["authorization"] == "Bearer secret"
    assert server.requests[0].headers["sec-websocket-protocol"] == "v5.channel.k8s.io,v4.channel.k8s.io"


@pytest.mark.parametrize("goodbye", [True, False])
def test_a_stream_that_ends_without_a_status_is_never_success(
    cluster: Cluster, server: Any, wire: Any, goodbye: bool
) -> None:
    server.exec(wire.message(1, b"some"), *([wire.close] if goodbye else []))
    with pytest.raises(ExecCutError):
        run(cluster)


def test_a_stream_cut_inside_a_frame_keeps_what_had_come(cluster: Cluster, server: Any, wire: Any) -> None:
    server.exec(wire.message(1, b"x" * 1000)[:500])
    got = bytearray()
    with cluster.stream(POD, "c", ["true"], seconds=HANGS) as stream, pytest.raises(ExecCutError):
        collect(stream, got)
    assert bytes(got) == b"x" * (500 - 4 - 1)


def test_a_status_counts_even_when_the_goodbye_is_lost(cluster: Cluster, server: Any, wire: Any) -> None:
    server.exec(wire.message(1, b"all"), wire.success)
    assert run(cluster).stdout == b"all"


def test_output_after_the_status_is_drained(cluster: Cluster, server: Any, wire: Any) -> None:
    server.exec(wire.success, wire.message(1, b"late"), wire.close)
    assert run(cluster).stdout == b"late"


def test_a_ping_is_answered_with_its_own_payload(cluster: Cluster, server: Any, wire: Any) -> None:
    answered = []

    def reply(client: Any) -> None:
        client.upgrade()
        client.socket.sendall(wire.frame(9, b"are you there"))
        answered.append(client.receive())
        client.socket.sendall(wire.success + wire.close)

    server.on("GET .*/exec", reply)
    assert run(cluster).exit_code == 0
    assert answered == [(0xA, b"are you there")]


def test_stdin_arrives_whole_and_is_closed(cluster: Cluster, server: Any, wire: Any) -> None:
    got = bytearray()

    def reply(client: Any) -> None:
        client.upgrade()
        while True:
            _, payload = client.receive()
            if payload[0] == 255:
                assert payload == b"\xff\x00"
                break
            got.extend(payload[1:])
        client.socket.sendall(wire.success + wire.close)

    server.on("GET .*/exec", reply)
    data = bytes(range(256)) * 400
    assert run(cluster, stdin=data).exit_code == 0
    assert bytes(got) == data
    assert "stdin=true" in server.requests[0].target


def test_stdin_is_refused_where_it_cannot_be_closed(cluster: Cluster, server: Any) -> None:
    server.exec(subprotocol="v4.channel.k8s.io")
    with pytest.raises(ExecError, match="v4"):
        run(cluster, stdin=b"x")


def test_a_server_with_no_known_subprotocol_is_refused(cluster: Cluster, server: Any) -> None:
    server.exec(subprotocol="v1.channel.k8s.io")
    with pytest.raises(UnreachableError):
        run(cluster)


def test_a_command_that_never_ends_ends_with_its_deadline(cluster: Cluster, server: Any) -> None:
    leave = threading.Event()
    server.on("GET .*/exec", lambda client: (client.upgrade(), leave.wait(HANGS)))
    with pytest.raises(ExecTimeoutError):
        run(cluster, seconds=2)
    leave.set()


def test_a_stream_without_a_byte_is_taken_for_cut(cluster: Cluster, server: Any) -> None:
    leave = threading.Event()
    server.on("GET .*/exec", lambda client: (client.upgrade(), leave.wait(HANGS)))
    with (
        cluster.stream(POD, "c", ["true"], seconds=HANGS, silence=0.5) as stream,
        pytest.raises(ExecCutError),
    ):
        list(stream)
    leave.set()


def test_a_stream_that_is_never_idle_is_polled_as_well(cluster: Cluster, server: Any, wire: Any) -> None:
    enough = threading.Event()

    def reply(client: Any) -> None:
        client.upgrade()
        while not enough.is_set():
            client.socket.sendall(wire.message(1, b"x"))
            time.sleep(0.01)

    class StopError(Exception):
        pass

    def poll() -> None:
        enough.set()
        raise StopError

    server.on("GET .*/exec", reply)
    with cluster.stream(POD, "c", ["true"], seconds=HANGS, poll=poll) as stream, pytest.raises(StopError):
        list(stream)


def test_more_output_than_wanted_is_an_error(cluster: Cluster, server: Any, wire: Any) -> None:
    server.exec(wire.message(1, b"x" * 100), wire.success, wire.close)
    with pytest.raises(OutputTooLongError):
        run(cluster, limit_bytes=99)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x82\x85abcdefghi",  # a server never masks
        b"\xc2\x02\x01x",  # a reserved bit
        b"\x80\x02\x01x",  # a continuation of nothing
        b"\x83\x02\x01x",  # an opcode that does not exist
        b"\x89\x7e\x00\x80" + bytes(128),  # a ping that is too long
        b"\x09\x01x",  # a ping in pieces
    ],
)
def test_frames_that_break_the_protocol_end_the_stream(
    cluster: Cluster, server: Any, nonsense: bytes
) -> None:
    server.exec(nonsense)
    with pytest.raises(ExecCutError):
        run(cluster)


@settings(
    max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    pieces=st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=300)), max_size=8),
    data=st.data(),
)
def test_messages_survive_any_fragmentation_and_any_cutting_of_the_bytes(
    cluster: Cluster, server: Any, wire: Any, pieces: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    stream = b""
    for channel, payload in pieces:
        whole = bytes([channel]) + payload
        cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=3)))
        parts = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
        for at, part in enumerate(parts):
            stream += wire.frame(0 if at else 2, part, final=at == len(parts) - 1)
            stream += data.draw(st.sampled_from([b"", wire.frame(9, b"p"), wire.frame(10, b"")]))
    stream += wire.success + wire.close
    step = data.draw(st.integers(1, max(1, len(stream))))
    server.rules.clear()

    def reply(client: Any) -> None:
        client.upgrade()
        for at in range(0, len(stream), step):
            client.socket.sendall(stream[at : at + step])
        while client.receive()[0] != 8:  # a pong may still be on its way
            pass

    server.on("GET .*/exec", reply)
    done = run(cluster)
    assert done.stdout == b"".join(payload for channel, payload in pieces if channel == STDOUT)
    assert done.stderr == b"".join(payload for channel, payload in pieces if channel == STDERR)


def test_a_stream_of_64_mib_passes_whole_and_leaves_memory_flat(
    cluster: Cluster, server: Any, wire: Any
) -> None:
    block = bytes(1 << 20)

    def reply(client: Any) -> None:
        client.upgrade()
        for size in (32768, 1 << 20):
            one = wire.message(1, block[:size])
            for _ in range((32 << 20) // size):
                client.socket.sendall(one)
        client.socket.sendall(wire.success + wire.close)

    server.on("GET .*/exec", reply)
    total = 0
    with cluster.stream(POD, "c", ["true"], seconds=HANGS) as stream:
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        for _, piece in stream:
            total += len(piece)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert total == 64 << 20
    assert peak - before < 8 << 20


def test_an_api_server_that_is_not_there_is_unreachable() -> None:
    configuration = Configuration()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        configuration.host = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with Cluster(Api(configuration)) as cluster, pytest.raises(UnreachableError):
            run(cluster)
