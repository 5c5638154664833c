"""A pod through which the API server is reached is captured without the capture's own connections."""

import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Lock, Thread
from urllib.parse import urlsplit

import pytest
import yaml

from deploy.lab.handle import LabHandle
from tests.bot.terminal.conftest import Terminal, interrupt, told, wait_for_line
from tests.hangs import HANGS

NODE, ADDRESS, CLIENT, OTHER = "k8s-node01", "192.168.1.20", "192.168.1.35", "192.168.1.21"

# Sockets made in another network are handed over the process's standard input.
LISTEN = """
import socket, sys
with socket.create_server((sys.argv[1], 6443)) as server:
    socket.send_fds(socket.socket(fileno=0), [b"!"], [server.fileno()])
"""
CONNECT = """
import socket, sys
asked = socket.socket(fileno=0)
while asked.recv(1):
    with socket.create_connection((sys.argv[1], 6443)) as connection:
        socket.send_fds(asked, [b"!"], [connection.fileno()])
"""


def received(asked: socket.socket) -> socket.socket:
    _, (descriptor,), _, _ = socket.recv_fds(asked, 1, 1)
    return socket.socket(fileno=descriptor)


def carry(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(1 << 16):
            other.sendall(data)
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def hand_on(one: socket.socket, connect: Callable[[], socket.socket]) -> None:
    with one, connect() as other:
        back = Thread(target=carry, args=(other, one))
        back.start()
        carry(one, other)
        back.join()


def serve(listener: socket.socket, connect: Callable[[], socket.socket]) -> None:
    threads = []
    with suppress(OSError):
        while True:
            threads.append(Thread(target=hand_on, args=(listener.accept()[0], connect)))
            threads[-1].start()
    for thread in threads:
        thread.join()


@pytest.fixture
def through_the_node(lab: LabHandle, tmp_path: Path) -> Iterator[Path]:
    """A kubeconfig whose connections go from the LAN's client to port 6443 of a node, and on from there."""
    kubeconfig = yaml.safe_load(lab.places.kubeconfig.read_text())
    cluster = kubeconfig["clusters"][0]["cluster"]
    api = urlsplit(cluster["server"])
    with ExitStack() as stack:

        def asked(argv: list[str], program: str) -> socket.socket:
            ours, theirs = (stack.enter_context(end) for end in socket.socketpair())
            process = subprocess.Popen([*argv, "-c", program, ADDRESS], stdin=theirs)
            stack.callback(process.wait)
            stack.callback(theirs.close)
            stack.callback(ours.close)
            return ours

        at_the_node = stack.enter_context(received(asked(lab.command("node", NODE, "python3"), LISTEN)))
        client = asked(lab.command("client", "python3"), CONNECT)
        here = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        one_by_one = Lock()

        def from_the_client() -> socket.socket:
            with one_by_one:
                client.send(b"?")
                return received(client)

        for listener, connect in (
            (at_the_node, lambda: socket.create_connection((api.hostname, api.port))),
            (here, from_the_client),
        ):
            thread = Thread(target=serve, args=(listener, connect))
            thread.start()
            stack.callback(thread.join)
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
        cluster["server"] = f"https://127.0.0.1:{here.getsockname()[1]}"
        changed = tmp_path / "kubeconfig"
        changed.write_text(yaml.safe_dump(kubeconfig))
        yield changed


def test_of_the_pod_that_serves_the_api_each_packet_is_captured_once_and_none_of_the_captures_own_stream(
    lab: LabHandle, through_the_node: Path, tmp_path: Path
) -> None:
    terminal = Terminal(tmp_path, KUBECONFIG=str(through_the_node), PODCAP_AGENT_IMAGE="podcap-agent:lab")
    api = {"ports": [{"containerPort": 6443}]}
    beside = lab.get("pod", "shopper")["status"]["podIP"]
    try:
        with lab.pod("api", api, namespace="traefik", hostNetwork=True):
            process = terminal.start("capture", "traefik/api", "5m", "-o", "here.pcap")
            wait_for_line(process, "Capturing on")
            ask = f"import socket; socket.create_connection(('{ADDRESS}', 6443), 30).close()"
            lab.node("k8s-node02", "python3", "-c", ask)
            lab.kubectl("exec", "-n", "traefik", "shopper", "--", "python3", "-c", ask)
            interrupt(process)
            _, errors = process.communicate(timeout=HANGS)
            assert process.returncode == 0, errors
    finally:
        terminal.end()
    (tapped,) = (facts for event, _, facts in terminal.trail() if event == "tapped")
    assert f"not captured: tcp 6443 with {CLIENT}, where podcap's own connections pass" in tapped["proof"]
    assert set(",".join(told(tmp_path / "here.pcap", "ip.addr", "ip")).split(",")) == {ADDRESS, OTHER, beside}
    # Its packets pass the bridge and its port there.
    assert "each packet once, so not at the ports of cni0" in tapped["proof"]
    asked = told(tmp_path / "here.pcap", "ip.src", "tcp.flags.syn == 1 and tcp.flags.ack == 0")
    assert sorted(asked) == sorted([OTHER, beside])
