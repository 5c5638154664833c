"""The evidence script for real: pods in network namespaces of our own, without any capability."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from workers.cluster.pod import Pod
from workers.tap.evidence import Evidence, parse
from workers.tap.gather import arguments
from workers.tap.tap import NoTap, decide

NONCE = "d0a3b1"
BARE = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all")
IFINDEXES = (11, 111, 1110, 2111)


def sh(*argv: str, namespace: int | None = None) -> str:
    enter = ["nsenter", "-t", str(namespace), "-n"] if namespace else []
    return subprocess.run([*enter, *argv], check=True, capture_output=True, text=True, timeout=20).stdout


class Node:
    """A node in a network namespace: a bridge, pods on it, one pod behind a route, one on a macvlan."""

    def __init__(self, stack: ExitStack, cgroups: Path) -> None:
        self._stack = stack
        self._cgroups = cgroups
        self.pid = self._namespace()
        self.ip("link", "add", "cni0", "type", "bridge")
        self.ip("addr", "add", "10.99.0.1/24", "dev", "cni0")
        self.ip("link", "set", "cni0", "up")

    def ip(self, *arguments: str, inside: int | None = None) -> None:
        sh("ip", *arguments, namespace=inside or self.pid)

    def bridged(self, number: int, ifindex: int) -> Pod:
        pod, pid = self._pod(f"10.99.0.{number}")
        self.ip("link", "add", f"veth{number:08x}", "index", str(ifindex), "type", "veth",
                "peer", "name", "eth0", "index", "2", "netns", str(pid))  # fmt: skip
        self.ip("link", "set", f"veth{number:08x}", "master", "cni0", "up")
        self._address(pid, f"{pod.ips[0]}/24")
        # One packet each way: neighbour and forwarding tables know the pod then, as a probe would have it.
        sh("ping", "-c", "1", "-W", "5", pod.ips[0], namespace=self.pid)
        return pod

    def routed(self, number: int, ifindex: int) -> Pod:
        pod, pid = self._pod(f"10.99.1.{number}")
        self.ip("link", "add", f"cali{number}", "index", str(ifindex), "type", "veth",
                "peer", "name", "eth0", "index", "2", "netns", str(pid))  # fmt: skip
        self.ip("link", "set", f"cali{number}", "up")
        self._address(pid, f"{pod.ips[0]}/32")
        self.ip("route", "add", pod.ips[0], "dev", f"cali{number}")
        return pod

    def macvlan(self, number: int) -> Pod:
        pod, pid = self._pod(f"10.99.2.{number}")
        self.ip("link", "add", "uplink", "index", "300", "type", "veth", "peer", "name", "far")
        self.ip("link", "set", "uplink", "up")
        self.ip("link", "add", "child", "link", "uplink", "type", "macvlan", "mode", "bridge")
        self.ip("link", "set", "child", "netns", str(pid), "name", "eth0")
        self._address(pid, f"{pod.ips[0]}/24")
        return pod

    def _address(self, pid: int, address: str) -> None:
        self.ip("addr", "add", address, "dev", "eth0", inside=pid)
        self.ip("link", "set", "eth0", "up", inside=pid)

    def _pod(self, address: str) -> tuple[Pod, int]:
        uid = f"0f3c{int(address.rsplit('.', 1)[1]):04x}-0000-4000-8000-{os.getpid():012x}"
        cgroup = self._cgroups / f"kubepods-pod{uid.replace('-', '_')}.slice"
        cgroup.mkdir()
        self._stack.callback(cgroup.rmdir)
        pid = self._namespace(cgroup)
        return Pod("shop", f"web-{address}", uid, "Running", node="n1", ips=(address,)), pid

    def _namespace(self, cgroup: Path | None = None) -> int:
        process = subprocess.Popen(
            ["unshare", "-n", "sh", "-c", "ip link set lo up && echo up && exec sleep 120"],
            stdout=subprocess.PIPE,
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.stdout.close()
        if cgroup is not None:
            (cgroup / "cgroup.procs").write_text(str(process.pid))
        return process.pid


def cgroup_root() -> Path:
    """A hierarchy in which a group can be made: version 2's, or a named one of version 1."""
    candidates = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd")
    return next(Path(path) for path in candidates if Path(path, "cgroup.procs").exists())


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    with ExitStack() as stack:
        cgroups = cgroup_root() / f"podcap-test-{os.getpid()}"
        cgroups.mkdir()
        stack.callback(cgroups.rmdir)
        yield Node(stack, cgroups)


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


def gather(node: Node, pod: Pod, path: str = os.environ["PATH"]) -> Evidence:
    """The script as an agent pod runs it: uid 0, no capability, the node's processes and network."""
    shell, *rest = arguments(NONCE, pod)
    program = shutil.which(shell, path=path)
    assert program is not None
    bare = [*BARE, "env", f"PATH={path}"]
    done = subprocess.run(
        ["nsenter", "-t", str(node.pid), "-n", *bare, program, *rest],
        check=False,
        capture_output=True,
        timeout=30,
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
    with subprocess.Popen(["unshare", "-n", "sleep", "60"]) as stray:
        try:
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
