"""The program for real: pods in network namespaces of our own, read from their node without a capability."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.hangs import HANGS
from tests.workers.tap.node import Node, made_node, sh
from workers.beside import kernel_dropped
from workers.beside.beside import Around, Beside
from workers.cluster.pod import Pod
from workers.summary.endpoint import Endpoint
from workers.summary.summary import Summary, Totals
from workers.surroundings.kernel_counters import moved
from workers.surroundings.surroundings import Surroundings
from workers.surroundings.tracked import clients
from workers.surroundings.visit import UNTRACKED, Inside, arguments, surroundings

NONCE = "c0ffee"
BARE = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all")
RULES = """
table ip nat {
    chain in { type nat hook prerouting priority dstnat; tcp dport 32604 dnat to %s:80; }
    chain out { type nat hook postrouting priority srcnat; ct status dnat masquerade; }
}
"""
LISTEN = """
import socket
listener = socket.create_server(("", 80))
print("up", flush=True)
while True:
    listener.accept()[0].recv(1)
"""
DEAF = """
import socket
listener = socket.create_server(("", 81), backlog=0)
print("up", flush=True)
input()
"""
CROWD = """
import select, socket, sys
crowd = [socket.socket() for _ in range(6)]
for one in crowd:
    one.setblocking(False)
    one.connect_ex((sys.argv[1], 81))
    select.select([], [one], [], 0.2)
"""
NOTHING = Summary(Totals(), (), payload=False)
KNOCK = "import socket; socket.create_connection(('10.99.0.1', 32604)).close()"


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    with made_node() as node:
        yield node


@pytest.fixture(scope="module")
def answering(node: Node) -> Pod:
    return node.bridged(10, 110)


@pytest.fixture
def listening(node: Node, answering: Pod) -> Iterator[None]:
    enter = ["nsenter", "-t", str(node.pids[answering.uid]), "-n"]
    with subprocess.Popen([*enter, sys.executable, "-c", LISTEN], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"up\n"
        yield
        server.kill()


@pytest.fixture(scope="module")
def client(node: Node) -> Pod:
    return node.bridged(11, 111)


def visit(node: Node, *insides: Inside, addresses: Sequence[str] = ()) -> dict[str, Surroundings]:
    argv = arguments(NONCE, insides, addresses or [one.pod.ips[0] for one in insides])
    done = subprocess.run(
        ["nsenter", "-t", str(node.pid), "-n", *BARE, *argv], check=False, capture_output=True, timeout=HANGS
    )
    return dict(surroundings(done.stdout, NONCE, insides))


def inside(node: Node, pod: Pod, *before: int) -> Inside:
    return Inside(pod, (*before, node.pids[pod.uid]))


@pytest.mark.usefixtures("listening")
def test_a_connection_that_the_node_rewrites_is_told_with_what_it_did_to_both_pods(
    node: Node, answering: Pod, client: Pod
) -> None:
    sh("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward", namespace=node.pid)
    sh("nft", RULES % answering.ips[0], namespace=node.pid)
    insides = inside(node, answering), inside(node, client)
    before = visit(node, *insides)
    sh(sys.executable, "-c", KNOCK, namespace=node.pids[client.uid])
    after = visit(node, *insides)
    assert moved(before[client.uid].counters, after[client.uid].counters)["Tcp.ActiveOpens"] == 1
    assert moved(before[client.uid].counters, after[client.uid].counters).get("Tcp.AttemptFails") is None
    assert moved(before[answering.uid].counters, after[answering.uid].counters)["Tcp.PassiveOpens"] == 1
    assert before[answering.uid].tracked == ()
    sockets = after[answering.uid].sockets
    assert sockets is not None
    assert [(each.protocol, each.port) for each in sockets.listeners] == [("TCP", 80)]
    for found in (*before.values(), *after.values()):
        assert found.routes[0] == "10.99.0.0/24 dev eth0"
    if not Path("/proc/net/nf_conntrack").exists():
        assert after[answering.uid].missing == (UNTRACKED,)
        return
    ((seen, tracked),) = clients(after[answering.uid].tracked).items()
    assert (seen[0].address, seen[1]) == ("10.99.0.1", Endpoint(answering.ips[0], 80))
    assert tracked.client.address == client.ips[0]
    assert tracked.server == Endpoint("10.99.0.1", 32604)
    assert any(line.startswith("10.99.0.1 dev eth0 lladdr ") for line in after[answering.uid].neighbours)
    assert before[answering.uid].at < after[answering.uid].at


def test_a_queue_of_accept_that_overflows_is_found_by_what_the_kernel_counts(
    node: Node, answering: Pod, client: Pod
) -> None:
    one = inside(node, answering)
    before = visit(node, one)[answering.uid]
    enter = ["nsenter", "-t", str(node.pids[answering.uid]), "-n", sys.executable, "-c"]
    with subprocess.Popen([*enter, DEAF], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"up\n"
        sh(sys.executable, "-c", CROWD, answering.ips[0], namespace=node.pids[client.uid])
        after = visit(node, one)[answering.uid]
        server.kill()
    (told,) = kernel_dropped.find(Around([Beside(0, answering, NOTHING, before, after)]))
    assert told.id == "listen-overflow"
    assert "at port 81, because its application did not accept" in told.sentence


def test_a_process_that_is_no_more_the_pods_is_passed_over(node: Node, answering: Pod, client: Pod) -> None:
    other = node.pids[client.uid]
    found = visit(node, inside(node, answering, 1, other), Inside(client, (1, node.pids[answering.uid])))
    assert found[answering.uid].sockets is not None
    gone = found[client.uid]
    assert (gone.sockets, gone.counters, gone.routes) == (None, {}, ())
    assert "could be looked at" in gone.missing[-1]


def test_of_a_pod_on_the_nodes_network_nothing_is_claimed(node: Node, answering: Pod) -> None:
    pod = replace(answering, host_network=True)
    found = visit(node, inside(node, pod))[pod.uid]
    assert found.sockets is None
    assert "its node's own" in found.missing[-1]


def test_many_pods_are_read_by_one_command_short_enough_for_a_url() -> None:
    pods = [
        Inside(
            Pod(
                "n", f"p{at}", f"{at:08x}-0000-4000-8000-000000000000", "Running", containers={"c": "a" * 64}
            ),
            (10000, 10001, 10002, 10003),
        )
        for at in range(20)
    ]
    argv = arguments(NONCE, pods, [f"10.244.1.{at}" for at in range(60)])
    assert sum(len(word) for word in argv) < 6500
