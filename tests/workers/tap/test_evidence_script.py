"""The evidence script for real: pods in network namespaces of our own, without any capability."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hangs import HANGS
from tests.workers.tap.node import Node, cgroup_root, made_node, sh
from workers.cluster.pod import Pod
from workers.tap.evidence import Evidence, parse
from workers.tap.gather import arguments
from workers.tap.proof import Captured, contradictions, reading
from workers.tap.tap import NoTap, decide

NONCE = "d0a3b1"
BARE = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all")
IFINDEXES = (11, 111, 1110, 2111)


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    with made_node() as node:
        yield node


@pytest.fixture(scope="module")
def pods(node: Node) -> dict[int, Pod]:
    """Bridged pods by the ifindex of their host's link."""
    return {ifindex: node.bridged(10 + at, ifindex) for at, ifindex in enumerate(IFINDEXES)}


@pytest.fixture(scope="module")
def routed(node: Node) -> Pod:
    return node.routed(7, 1111)


@pytest.fixture(scope="module")
def macvlan(node: Node) -> Pod:
    return node.macvlan(8)


@pytest.fixture(scope="module")
def busybox(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with nothing in it but busybox's programs."""
    found = shutil.which("busybox")
    if found is None:
        pytest.skip("busybox is not installed")
    folder = tmp_path_factory.mktemp("busybox")
    sh(found, "--install", "-s", str(folder))
    return str(folder)


def gather(node: Node, pod: Pod, path: str = os.environ["PATH"], **only: Any) -> Evidence:
    """The script as an agent pod runs it: uid 0, no capability, the node's processes and network."""
    shell, *rest = arguments(NONCE, pod, **only)
    program = shutil.which(shell, path=path)
    assert program is not None
    bare = [*BARE, "env", f"PATH={path}"]
    done = subprocess.run(
        ["nsenter", "-t", str(node.pid), "-n", *bare, program, *rest],
        check=False,
        capture_output=True,
        timeout=HANGS,
    )
    return parse(done.stdout, NONCE)


def test_what_runs_the_script_here_has_no_capability_at_all(node: Node) -> None:
    status = sh(*BARE, "cat", "/proc/self/status", namespace=node.pid)
    assert [line.split()[1] for line in status.splitlines() if line.startswith(("CapEff", "CapPrm"))] == [
        "0" * 16
    ] * 2


@pytest.mark.parametrize("ifindex", IFINDEXES)
def test_a_pod_is_found_by_its_namespace_among_decoys_without_any_capability(
    node: Node, pods: dict[int, Pod], ifindex: int
) -> None:
    tap = decide(gather(node, pods[ifindex]), pods[ifindex])
    assert (tap.ifindex, tap.method, tap.confidence) == (ifindex, "namespace", "high")
    assert tap.proof[0].endswith("peer index 2, both ends count the same packets")
    assert tap.proof[1:] == ("the bridge's forwarding table agrees",)


def test_a_pod_behind_a_route_of_its_own_is_found_by_two_methods(node: Node, routed: Pod) -> None:
    tap = decide(gather(node, routed), routed)
    assert (tap.interface, tap.ifindex, tap.confidence) == ("cali7", 1111, "high")
    assert tap.proof[1:] == ("the route to the pod's address agrees",)


@pytest.mark.parametrize(("number", "families"), [(31, (6,)), (32, (4, 6)), (33, (6, 4))])
def test_a_pod_with_ipv6_is_found_by_two_methods(node: Node, number: int, families: tuple[int, ...]) -> None:
    pod = node.routed(number, 1200 + number, *families)
    tap = decide(gather(node, pod), pod)
    assert (tap.interface, tap.ifindex, tap.confidence) == (f"cali{number}", 1200 + number, "high")


def test_of_two_interfaces_the_one_with_the_pods_address_is_tapped_and_the_other_named(node: Node) -> None:
    pod = node.bridged(40, 1340)
    node.second(pod, 1341)
    tap = decide(gather(node, pod), pod)
    assert (tap.ifindex, tap.confidence) == (1340, "high")
    assert tap.proof[-1] == "not captured: the pod's net1"


def test_a_sandbox_that_keeps_the_pods_address_to_itself_is_tapped_at_its_only_interface(node: Node) -> None:
    pod = node.bridged(50, 1350)
    node.take_address(pod)
    tap = decide(gather(node, pod), pod)
    assert (tap.ifindex, tap.method, tap.confidence) == (1350, "namespace", "high")
    assert "a sandbox that keeps its address to itself" in tap.proof[0]


def test_after_a_capture_the_same_processes_and_the_same_link_are_looked_at_alone(
    node: Node, pods: dict[int, Pod]
) -> None:
    before = gather(node, pods[1110])
    tap = decide(before, pods[1110])
    sh("ping", "-c", "3", "-i", "0.02", pods[1110].ips[0], namespace=node.pid)
    later = gather(node, pods[1110], pids=sorted(before.namespaces), ifindex=tap.ifindex)
    assert [link.ifindex for link in later.links] == [1110]
    assert later.processes == before.processes
    first, last = reading(before, tap), reading(later, tap)
    passed = last.node_side.since(first.node_side) if last.node_side and first.node_side else None
    assert passed is not None
    assert min(passed.sent, passed.received) >= 3
    assert list(contradictions(first, last, Captured(6, 3, 3), pods[1110], pods[1110])) == []


def test_a_macvlan_child_is_not_taken_for_its_uplink(node: Node, macvlan: Pod) -> None:
    with pytest.raises(NoTap, match="no link that is paired with eth0"):
        decide(gather(node, macvlan), macvlan)


def test_a_macvlan_child_is_tapped_in_its_pods_network_namespace_where_that_is_allowed(
    node: Node, macvlan: Pod
) -> None:
    evidence = gather(node, macvlan)
    tap = decide(evidence, macvlan, may_enter=True)
    assert (tap.interface, tap.method, tap.confidence) == ("eth0", "inside", "high")
    (process,) = evidence.processes
    assert (tap.pid, tap.started) == (process.pid, process.started)
    inside = json.loads(sh("ip", "-j", "-d", "link", "show", "eth0", namespace=tap.pid))
    assert (inside[0]["ifindex"], inside[0]["linkinfo"]["info_kind"]) == (tap.ifindex, "macvlan")


def test_processes_of_other_pods_are_not_in_the_evidence(node: Node, pods: dict[int, Pod]) -> None:
    evidence = gather(node, pods[11])
    assert len({process.pid for process in evidence.processes}) == 1
    assert "10.99.0.10" in evidence.namespaces[evidence.processes[0].pid].addresses


def test_a_pod_that_is_not_on_the_node_leaves_whole_evidence_without_processes(node: Node) -> None:
    elsewhere = Pod("shop", "x", "0f3cffff-0000-4000-8000-00000000dead", "Running", node="n1")
    evidence = gather(node, elsewhere)
    assert evidence.processes == ()
    assert {link.name for link in evidence.links} >= {"lo", "cni0"}


def test_busybox_with_iproute2_and_perl_finds_it_as_well(
    node: Node, pods: dict[int, Pod], busybox: str, tmp_path: Path
) -> None:
    for name in ("ip", "bridge", "perl", "tcpdump"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    tap = decide(gather(node, pods[1110], f"{tmp_path}:{busybox}"), pods[1110])
    assert (tap.ifindex, tap.confidence) == (1110, "high")


def test_busybox_alone_gives_whole_evidence_that_says_what_it_lacks(
    node: Node, pods: dict[int, Pod], busybox: str
) -> None:
    evidence = gather(node, pods[11], busybox)
    assert evidence.processes
    assert evidence.namespaces
    with pytest.raises(NoTap, match="does not answer"):
        decide(evidence, pods[11])


def test_without_perl_confidence_drops_and_says_so(
    node: Node, pods: dict[int, Pod], busybox: str, tmp_path: Path
) -> None:
    for name in ("ip", "bridge"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    tap = decide(gather(node, pods[111], f"{tmp_path}:{busybox}"), pods[111])
    assert (tap.ifindex, tap.method, tap.confidence) == (111, "forwarding", "medium")
    assert "namespace ids are unavailable" in tap.proof[1]


def test_a_process_in_another_namespace_of_the_pod_does_not_mislead(node: Node, pods: dict[int, Pod]) -> None:
    (cgroup,) = cgroup_root().glob(f"podcap-test-{os.getpid()}/*{pods[2111].uid.replace('-', '_')}*")
    own = Path("/proc/self/ns/net").readlink()
    with subprocess.Popen(["unshare", "-n", "sleep", "infinity"]) as stray:
        try:
            while Path(f"/proc/{stray.pid}/ns/net").readlink() == own:
                time.sleep(0.01)
            (cgroup / "cgroup.procs").write_text(str(stray.pid))
            assert decide(gather(node, pods[2111]), pods[2111]).ifindex == 2111
        finally:
            stray.kill()


def test_values_with_shell_metacharacters_are_only_values(node: Node, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    hostile = Pod("shop", "x", f"$(touch {mark})`touch {mark}`;touch {mark}", "Running", node="n1")
    assert gather(node, hostile).processes == ()
    assert not mark.exists()


def test_the_command_fits_into_the_url_that_proxies_accept() -> None:
    from urllib.parse import urlencode  # noqa: PLC0415  (this test alone measures a URL)

    ids = {f"container-{n}": "f" * 64 for n in range(10)}
    pod = Pod("shop", "x", "0" * 36, "Running", ips=("10.0.0.1", "fd00::1"), containers=ids)
    query = urlencode([("command", argument) for argument in arguments("f" * 32, pod)])
    assert len(query) < 8000 - 500
