"""A capture inside a pod's network namespace, for real: a macvlan pod in a namespace of our own."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.hangs import HANGS
from tests.workers.spool.local import LocalAgent, spooling
from tests.workers.tap.node import Node, made_node, sh
from workers.agent.pod_spec import CAPABILITIES, ENTERING
from workers.cluster.pod import Pod
from workers.spool.spool import Spool, SpoolError, SpoolLimits
from workers.tap.gather import gather
from workers.tap.proof import reading
from workers.tap.tap import Tap, decide

LIMITS = SpoolLimits(seconds=20, packets=20, bytes=1 << 20)
AGENT = Pod("podcap", "podcap-cap-1", "u", "Running", node="n1")
Agents = Callable[..., LocalAgent]

SEND = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(20):
    s.sendto(n.to_bytes(8, 'big'), ('10.99.2.200', 9999))
"""


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    with made_node() as node:
        yield node


@pytest.fixture(scope="module")
def pod(node: Node) -> Pod:
    pod = node.macvlan(8)
    inside = node.pids[pod.uid]
    node.ip("neigh", "add", "10.99.2.200", "lladdr", "02:00:00:00:00:c8", "dev", "eth0", inside=inside)
    return pod


@pytest.fixture
def agent(node: Node, tmp_path: Path) -> Iterator[Agents]:
    made: list[LocalAgent] = []

    def make(*capabilities: str) -> LocalAgent:
        agent = LocalAgent(None, AGENT, "cap-1", namespace=node.pid, capabilities=capabilities)  # type: ignore[arg-type]
        made.append(agent)
        return agent

    yield make
    for pid in spooling(tmp_path):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for process in (process for one in made for process in one.started):
        process.kill()
        process.wait()


@pytest.fixture
def tap(agent: Agents, pod: Pod) -> Tap:
    """Found, as always, with the few rights."""
    return decide(gather(agent(*CAPABILITIES), pod), pod, may_enter=True)


def test_the_packets_of_a_macvlan_pod_are_taken_in_its_network_namespace(
    node: Node, pod: Pod, agent: Agents, tap: Tap, tmp_path: Path
) -> None:
    spool, file = Spool(agent(*CAPABILITIES, *ENTERING), directory=str(tmp_path)), tmp_path / "here.pcap"
    spool.start(tap, "udp port 9999", LIMITS)
    send = ["nsenter", "-t", str(node.pids[pod.uid]), "-n", sys.executable, "-c", SEND]
    subprocess.run(send, check=True, timeout=HANGS)
    spool.follow(file)
    assert spool.finish(file).packets_captured == 20
    assert sh("tcpdump", "-n", "-r", str(file)).count("10.99.2.200.9999") == 20


@pytest.mark.parametrize(
    ("missing", "complaint"),
    [
        ("NET_RAW", "Operation not permitted"),
        ("SETGID", "Operation not permitted"),
        ("SYS_PTRACE", r"cannot open /proc/\d+/ns/net: Permission denied"),
        ("SYS_ADMIN", r"reassociate to namespaces? .*failed: Operation not permitted"),
    ],
)
def test_each_capability_of_the_profile_that_enters_is_needed(
    agent: Agents, tap: Tap, tmp_path: Path, missing: str, complaint: str
) -> None:
    left = [name for name in (*CAPABILITIES, *ENTERING) if name != missing]
    with pytest.raises(SpoolError, match=complaint):
        Spool(agent(*left), directory=str(tmp_path)).start(tap, "", LIMITS)


def test_every_capability_of_the_profile_is_tried(request: pytest.FixtureRequest) -> None:
    tried = re.findall(r'^        \("([A-Z_]+)",', Path(request.path).read_text(), re.MULTILINE)
    assert sorted(tried) == sorted((*CAPABILITIES, *ENTERING))


def test_a_process_that_was_given_the_number_of_the_pods_is_not_entered(
    agent: Agents, tap: Tap, tmp_path: Path
) -> None:
    assert tap.started is not None
    spool = Spool(agent(*CAPABILITIES, *ENTERING), directory=str(tmp_path))
    with pytest.raises(SpoolError, match=f"the pod's process {tap.pid} has ended"):
        spool.start(replace(tap, started=tap.started - 1), "", LIMITS)


def test_the_namespaces_inode_is_known_to_the_profile_that_enters_and_not_to_the_other(
    node: Node, pod: Pod, agent: Agents, tap: Tap
) -> None:
    pid = node.pids[pod.uid]
    entering, other = gather(agent(*CAPABILITIES, *ENTERING), pod), gather(agent(*CAPABILITIES), pod)
    assert entering.inodes[pid] == Path(f"/proc/{pid}/ns/net").stat().st_ino
    assert other.inodes == {}
    # What tells it from other namespaces is known to both.
    mark = reading(other, tap).mark
    assert mark == reading(entering, tap).mark == Path(f"/proc/{pid}/net/dev").stat().st_ino
    assert mark != Path("/proc/self/net/dev").stat().st_ino
