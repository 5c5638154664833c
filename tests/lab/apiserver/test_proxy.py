"""kube-proxy's rules: as text, and on real packets in network namespaces made for it.

The network of the second half: a client on a LAN, two nodes on it, each with a bridge and pods behind it, as
the lab builds it, but small. The servers answer with the address they see, so that every rewriting shows.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.lab import proxy
from tests.hangs import HANGS

EVIDENCE = Path(__file__).parents[2] / "evidence"
LAN = {"client": "192.168.1.35", "n1": "192.168.1.20", "n2": "192.168.1.21"}
POD_ADDRESSES = {"p1": "10.244.1.2", "p2": "10.244.1.3", "p3": "10.244.2.2"}
NODE_OF = {"p1": "n1", "p2": "n1", "p3": "n2"}
NODE_PORT, CLUSTER_IP = 32604, "10.96.1.20"

_SERVER = """
import socket, sys
with socket.create_server(("0.0.0.0", 80), backlog=64) as server:
    while True:
        connection, (address, port) = server.accept()
        with connection:
            connection.sendall(f"{sys.argv[1]} {address}".encode())
"""
_ASK = """
import socket, sys
for _ in range(int(sys.argv[3])):
    try:
        address = sys.argv[1], int(sys.argv[2])
        with socket.create_connection(address, timeout=float(sys.argv[4])) as connection:
            print(connection.recv(100).decode())
    except OSError as error:
        print(type(error).__name__)
"""


def service(**spec: Any) -> dict[str, Any]:
    """The recorded Service, with changes to its spec."""
    found: dict[str, Any] = json.loads((EVIDENCE / "services.json").read_text())["items"][0]
    found["spec"] |= {"sessionAffinity": "None"} | spec
    return found


def endpoints(*pods: str, ready: bool = True) -> dict[str, Any]:
    """The recorded EndpointSlice with these pods."""
    found: dict[str, Any] = json.loads((EVIDENCE / "endpointslices.json").read_text())["items"][0]
    found["endpoints"] = [
        {"addresses": [POD_ADDRESSES[pod]], "conditions": {"ready": ready}, "nodeName": NODE_OF[pod]}
        for pod in pods
    ]
    return found


AFFINITY = {
    "sessionAffinity": "ClientIP",
    "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}},
}
LOCAL = {"externalTrafficPolicy": "Local"}


def test_a_script_replaces_what_an_earlier_one_made() -> None:
    lines = proxy.render("n1", [], []).splitlines()

    assert lines[:3] == ["add table ip kube-proxy", "delete table ip kube-proxy", "table ip kube-proxy {"]


def test_the_same_objects_give_the_same_script_in_any_order() -> None:
    other = service()
    other["metadata"] = other["metadata"] | {"name": "another"}
    slices = [endpoints("p1", "p2", "p3")]

    assert proxy.render("n1", [service(), other], slices) == proxy.render("n1", [other, service()], slices)


def test_endpoints_that_are_not_ready_get_nothing() -> None:
    script = proxy.render("n1", [service()], [endpoints("p1", ready=False)])

    assert POD_ADDRESSES["p1"] not in script


def test_a_slice_of_another_service_or_namespace_is_not_used() -> None:
    foreign = endpoints("p1")
    foreign["metadata"]["namespace"] = "elsewhere"
    unrelated = endpoints("p2")
    unrelated["metadata"]["labels"]["kubernetes.io/service-name"] = "other"

    script = proxy.render("n1", [service()], [foreign, unrelated])

    assert "dnat" not in script


@pytest.mark.parametrize("address", ["None", ""])
def test_a_headless_service_gets_no_rules(address: str) -> None:
    assert proxy.ports_of([service(clusterIP=address)], [endpoints("p1")]) == []


@given(
    st.sets(st.sampled_from(sorted(POD_ADDRESSES))),
    st.sampled_from(["Cluster", "Local"]),
    st.sampled_from(["Cluster", "Local"]),
    st.sampled_from(["n1", "n2", "n3"]),
    st.booleans(),
)
def test_only_endpoints_a_policy_allows_are_ever_chosen(
    pods: set[str], external: str, internal: str, node: str, sticky: bool
) -> None:
    spec = {"externalTrafficPolicy": external, "internalTrafficPolicy": internal}
    script = proxy.render(node, [service(**spec, **(AFFINITY if sticky else {}))], [endpoints(*sorted(pods))])

    own = {POD_ADDRESSES[pod] for pod in pods if NODE_OF[pod] == node}
    every = {POD_ADDRESSES[pod] for pod in pods}
    assert _chosen(script, "cluster-ip/") == (own if internal == "Local" else every)
    assert _chosen(script, "node-port/") == (own if external == "Local" else every)
    assert script.count("masquerade") == 1


def _chosen(script: str, chain: str) -> set[str]:
    body = script.partition(f"chain {chain}")[2].partition("\n  }")[0]
    choice = body.partition("vmap")[2]
    return {address for address in POD_ADDRESSES.values() if f"/{address}/" in choice}


class Net:
    """Namespaces held by a process each, joined by veths; everything goes with the processes."""

    def __init__(self) -> None:
        self.holders: dict[str, subprocess.Popen[bytes]] = {}
        self.servers: list[subprocess.Popen[bytes]] = []
        for name in ("lan", *LAN, *POD_ADDRESSES):
            self.holders[name] = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        self._wait_for_namespaces()
        self._ip("lan", "link", "add", "br0", "type", "bridge")
        self._ip("lan", "link", "set", "br0", "up")
        for name, address in LAN.items():
            self._join("lan", "br0", name, f"{address}/24")
        for number, node in ((1, "n1"), (2, "n2")):
            self._node(number, node)
        for pod, address in POD_ADDRESSES.items():
            node = NODE_OF[pod]
            self._join(node, "cni0", pod, f"{address}/24", hairpin=True)
            self._ip(pod, "route", "add", "default", "via", f"10.244.{node[1]}.1")
            self.servers.append(self._run(pod, sys.executable, "-c", _SERVER, pod))

    def _node(self, number: int, node: str) -> None:
        other = {"n1": ("10.244.2.0/24", LAN["n2"]), "n2": ("10.244.1.0/24", LAN["n1"])}[node]
        self._ip(node, "link", "add", "cni0", "type", "bridge")
        self._ip(node, "link", "set", "cni0", "up")
        self._ip(node, "address", "add", f"10.244.{number}.1/24", "dev", "cni0")
        self._ip(node, "route", "add", other[0], "via", other[1])
        # Local packets to a Service need some route before their destination is rewritten.
        self._ip(node, "route", "add", "10.96.0.0/16", "dev", "eth0")
        for setting in ("net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables"):
            self.inside(node, "sh", "-c", f"echo 1 > /proc/sys/{setting}")

    def _wait_for_namespaces(self) -> None:
        mine = Path("/proc/self/ns/net").readlink()
        give_up = time.monotonic() + HANGS
        for holder in self.holders.values():
            while Path(f"/proc/{holder.pid}/ns/net").readlink() == mine:
                assert time.monotonic() < give_up
                time.sleep(0.02)

    def _join(self, hub: str, bridge: str, leaf: str, address: str, *, hairpin: bool = False) -> None:
        self._ip(
            hub, "link", "add", f"v-{leaf}", "type", "veth", "peer", "name", "eth0", "netns", self._pid(leaf)
        )
        self._ip(hub, "link", "set", f"v-{leaf}", "master", bridge, "up")
        if hairpin:
            self.inside(hub, "bridge", "link", "set", "dev", f"v-{leaf}", "hairpin", "on")
        self._ip(leaf, "address", "add", address, "dev", "eth0")
        for link in ("lo", "eth0"):
            self._ip(leaf, "link", "set", link, "up")

    def _pid(self, name: str) -> str:
        return str(self.holders[name].pid)

    def _run(self, name: str, *argv: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(["nsenter", "--net", "--target", self._pid(name), *argv])

    def inside(self, name: str, *argv: str, given: str = "") -> str:
        """Runs a command in a namespace's network."""
        command = ["nsenter", "--net", "--target", self._pid(name), *argv]
        done = subprocess.run(
            command, input=given, capture_output=True, text=True, check=False, timeout=HANGS
        )
        assert done.returncode == 0, f"{argv}: {done.stderr}"
        return done.stdout

    def _ip(self, name: str, *argv: str) -> None:
        self.inside(name, "ip", *argv)

    def program(self, spec: dict[str, Any], *pods: str) -> None:
        """Sets both nodes' rules for the Service with these pods."""
        for node in ("n1", "n2"):
            script = proxy.render(node, [service(**spec)], [endpoints(*pods)])
            self.inside(node, "nft", "-f", "-", given=script)

    def ask(
        self, who: str, address: str, port: int = NODE_PORT, times: int = 6, patience: float = 8.0
    ) -> list[str]:
        """What the answers say: `POD SOURCE`, or the name of the error.

        A refusal may take a second or two: the kernel sends few ICMP messages a second.
        """
        figures = (str(port), str(times), str(patience))
        output = self.inside(who, sys.executable, "-c", _ASK, address, *figures)
        return output.splitlines()

    def close(self) -> None:
        for process in (*self.servers, *self.holders.values()):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    if os.geteuid() != 0:
        pytest.fail("tests on real packets need root: run them with sudo")
    built = Net()
    try:
        answering(lambda: built.ask("n1", POD_ADDRESSES["p1"], 80, 1) == ["p1 10.244.1.1"])
        answering(lambda: built.ask("n2", POD_ADDRESSES["p3"], 80, 1) == ["p3 10.244.2.1"])
        yield built
    finally:
        built.close()


def answering(question: Callable[[], bool]) -> None:
    give_up = time.monotonic() + HANGS
    while not question():
        assert time.monotonic() < give_up, "the servers do not answer"


def test_with_cluster_a_pod_sees_the_bridge_of_its_node_or_the_other_nodes_address(net: Net) -> None:
    """As recorded: never the client."""
    net.program({}, "p1", "p2", "p3")

    through_first = set(net.ask("client", LAN["n1"], times=40))

    assert through_first == {"p1 10.244.1.1", "p2 10.244.1.1", f"p3 {LAN['n1']}"}


def test_with_local_a_pod_sees_the_client_and_only_the_nodes_own_pods_answer(net: Net) -> None:
    net.program(LOCAL, "p1", "p2", "p3")

    assert set(net.ask("client", LAN["n1"], times=30)) == {f"p1 {LAN['client']}", f"p2 {LAN['client']}"}
    assert set(net.ask("client", LAN["n2"])) == {f"p3 {LAN['client']}"}


def test_with_local_a_node_without_a_pod_drops(net: Net) -> None:
    net.program(LOCAL, "p1")

    assert net.ask("client", LAN["n2"], times=1, patience=1.5) == ["TimeoutError"]
    assert net.ask("client", LAN["n1"], times=1) == [f"p1 {LAN['client']}"]


def test_without_any_pod_a_connection_is_refused(net: Net) -> None:
    net.program({})

    assert net.ask("client", LAN["n1"], times=1) == ["ConnectionRefusedError"]
    assert net.ask("p1", CLUSTER_IP, 80, times=1) == ["ConnectionRefusedError"]


def test_affinity_keeps_a_client_with_one_pod(net: Net) -> None:
    net.program(AFFINITY, "p1", "p2", "p3")

    answers = Counter(net.ask("client", LAN["n1"], times=25))

    assert len(answers) == 1


def test_affinity_and_local_hold_together(net: Net) -> None:
    net.program(AFFINITY | LOCAL, "p1", "p2", "p3")

    answers = Counter(net.ask("client", LAN["n1"], times=25))

    assert len(answers) == 1
    assert next(iter(answers)).split()[1] == LAN["client"]


def test_a_pod_is_seen_as_itself_behind_a_cluster_address(net: Net) -> None:
    net.program({}, "p3")

    assert set(net.ask("p1", CLUSTER_IP, 80)) == {f"p3 {POD_ADDRESSES['p1']}"}


def test_a_pod_that_reaches_itself_sees_its_nodes_bridge(net: Net) -> None:
    net.program({}, "p1")

    assert set(net.ask("p1", CLUSTER_IP, 80)) == {"p1 10.244.1.1"}


def test_a_node_reaches_a_cluster_address(net: Net) -> None:
    net.program({}, "p3")

    assert set(net.ask("n1", CLUSTER_IP, 80)) == {f"p3 {LAN['n1']}"}


def test_inside_the_cluster_a_local_policy_does_not_hold(net: Net) -> None:
    net.program(LOCAL, "p3")

    assert set(net.ask("p1", LAN["n1"])) == {f"p3 {POD_ADDRESSES['p1']}"}


def test_a_change_of_policy_changes_the_next_packet(net: Net) -> None:
    seen = []
    for spec in ({}, LOCAL, {}):
        net.program(spec, "p1")
        seen.append(net.ask("client", LAN["n1"], times=1)[0])

    assert seen == ["p1 10.244.1.1", f"p1 {LAN['client']}", "p1 10.244.1.1"]
