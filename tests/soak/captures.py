"""One capture of one pod as a worker makes it, held against what is true from outside."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from deploy.lab.cgroups import Tree
from deploy.lab.handle import LabHandle
from deploy.lab.kernel import why_not
from deploy.lab.kubelet.topologies import TOPOLOGIES
from deploy.lab.node.start import first_process
from deploy.lab.plan import NODES, Node
from tests.hangs import HANGS
from tests.soak.marker import Sender
from tests.soak.packets import Seen, seen
from workers.agent.agent import AgentPod, create, delete
from workers.agent.pod_spec import AgentLimits, Owner, Profile
from workers.cluster.cluster import Cluster
from workers.cluster.pod import Pod
from workers.spool.spool import Spool, SpoolLimits
from workers.tap.evidence import Evidence
from workers.tap.gather import gather
from workers.tap.proof import Captured, contradictions
from workers.tap.tap import Tap, decide
from workers.tap.watch import watched

HOST_NETWORK = "host-network"
MISSING = tuple(filter(None, map(why_not, TOPOLOGIES)))
"""What this machine's kernel cannot build, a sentence each."""

KINDS = (*(one for one in TOPOLOGIES if why_not(one) is None), HOST_NETWORK)
"""What a target is: connected by a topology of the lab's, or not at all."""

_NAMESPACE = "traefik"
_LIMITS = SpoolLimits(seconds=600, packets=10_000, bytes=1 << 20)
"""It is stopped when the markers were sent, however long that took."""
_FIRST_PORT = 20_000
_ROUNDS, _ROUND_SECONDS = 4, 0.1
_ICMPV6, _SOLICITATION = 58, 135
_WELL = ("stopped", "", 0)


@dataclass(frozen=True)
class Order:
    """A capture to be made.

    Attributes:
        number: No other has it.
        kind: Of `KINDS`.
        decoys: Whether decoys stand around the target.
    """

    number: int
    kind: str
    node: Node
    decoys: bool


def orders(count: int) -> list[Order]:
    """So many, through all kinds, nodes, with decoys two times of three."""
    size = len(KINDS)
    return [
        Order(n, KINDS[n % size], NODES[n // size % len(NODES)], (n + n // size) % 3 != 0)
        for n in range(count)
    ]


@dataclass(frozen=True)
class Outcome:
    """A capture that was right.

    Attributes:
        method: The tap's strongest one.
        seconds: From the agent pod's creation to its end.
    """

    order: Order
    method: str
    confidence: str
    seconds: float


class WrongError(AssertionError):
    """A capture that was not right; says in what."""


@dataclass
class Ground:
    """Where the captures are made.

    Attributes:
        senders: By a node's name.
        standing: Addresses of pods that stay, by their node's name: their packets are in no capture.
    """

    lab: LabHandle
    senders: dict[str, Sender]
    standing: dict[str, list[str]]


@contextmanager
def ground(lab: LabHandle) -> Iterator[Ground]:
    """In a lab that runs."""
    tree = Tree(lab.places.cgroup)
    senders = {node.name: Sender(first_process(tree, node)) for node in NODES}
    standing: dict[str, list[str]] = {node.name: [] for node in NODES}
    for pod in lab.pods():
        if pod["status"]["phase"] == "Running" and not pod["spec"].get("hostNetwork"):
            standing.get(pod["spec"]["nodeName"], []).append(pod["status"]["podIP"])
    try:
        yield Ground(lab, senders, standing)
    finally:
        for sender in senders.values():
            sender.close()


@dataclass
class Worker:
    """Makes captures one after the other; several may do so at once.

    Its pods all have one name, and take the address and the index of the link of the one before.
    """

    ground: Ground
    cluster: Cluster
    name: str
    folder: Path
    _addresses: dict[tuple[str, str], str] = field(default_factory=dict)
    _indexes: dict[str, int] = field(default_factory=dict)

    def make(self, order: Order) -> Outcome:
        """One capture.

        Raises:
            WrongError: It took another pod's packets, or not all that it should.
            ClusterError: It could not be made.
            NoTap: It was refused.
        """
        with self._target(order) as pod:
            began = time.monotonic()
            with self._agent(order, "host") as agent:
                evidence = gather(agent, pod)
                tap = decide(evidence, pod, may_enter=True)
                self._compare(order, pod, tap)
                if tap.pid is None:
                    self._capture(order, agent, pod, tap, evidence)
            if tap.pid is not None:
                with self._agent(order, "namespace") as agent:
                    self._capture(order, agent, pod, tap, evidence)
            return Outcome(order, tap.method, tap.confidence, time.monotonic() - began)

    @contextmanager
    def _target(self, order: Order) -> Iterator[Pod]:
        self.cluster.create_pod(_NAMESPACE, self._manifest(order))
        try:
            yield self._wait_for_target()
        finally:
            self.cluster.delete_pod(_NAMESPACE, self.name, grace=5)
            for left in self.cluster.watch_pod(_NAMESPACE, self.name, seconds=HANGS):
                if left is None:
                    break

    def _wait_for_target(self) -> Pod:
        for pod in self.cluster.watch_pod(_NAMESPACE, self.name, seconds=HANGS):
            if pod is not None and pod.phase == "Running" and pod.ips:
                return pod
        raise WrongError(f"pod {self.name} does not run")

    def _manifest(self, order: Order) -> dict[str, Any]:
        annotations = {"lab/decoys": str(order.decoys).lower()}
        container: dict[str, Any] = {
            "name": "main",
            "image": "podcap-agent:lab",
            "command": ["sh", "-c", "trap 'exit 0' TERM; sleep 600 & wait"],
        }
        spec: dict[str, Any] = {"nodeName": order.node.name, "containers": [container]}
        if order.kind == HOST_NETWORK:
            spec["hostNetwork"] = True
            container["ports"] = [{"containerPort": _port(order), "protocol": "UDP"}]
        else:
            annotations["lab/network"] = order.kind
            if address := self._addresses.get((order.node.name, _range(order))):
                annotations["lab/address"] = address
            if index := self._indexes.pop(order.node.name, None):
                annotations["lab/index"] = str(index)
        metadata = {"name": self.name, "namespace": _NAMESPACE, "annotations": annotations}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}

    @contextmanager
    def _agent(self, order: Order, profile: Profile) -> Iterator[AgentPod]:
        owner = Owner(f"{self.name}-{order.number}", "soak")
        limits = AgentLimits(seconds=_LIMITS.seconds, spool_bytes=_LIMITS.bytes, profile=profile)
        try:
            yield create(
                self.cluster,
                owner=owner,
                node=order.node.name,
                namespace="podcap",
                image="podcap-agent:lab",
                limits=limits,
            )
        finally:
            delete(self.cluster, "podcap", owner.capture_id)

    def _compare(self, order: Order, pod: Pod, tap: Tap) -> None:
        """Holds the tap against the truth."""
        if order.kind == HOST_NETWORK:
            _same("the host's tap", (tap.interface, str(_port(order)) in tap.narrow), ("any", True))
            return
        shown = {
            "metadata": {"uid": pod.uid},
            "spec": {"nodeName": pod.node},
            "status": {"podIPs": [{"ip": ip} for ip in pod.ips]},
        }
        true = self.ground.lab.truth(shown)
        if pod.ips and "." in pod.ips[0]:
            self._addresses[order.node.name, _range(order)] = pod.ips[0]
        if true.ifindex:
            self._indexes[order.node.name] = true.ifindex
            there = (true.node, true.interface, true.ifindex, None)
            _same("the tap", (tap.node, tap.interface, tap.ifindex, tap.pid), there)
        else:
            inside = (true.node, true.inside, true.inside_index, true.namespace)
            where = self._namespace(order.node, tap.pid)
            _same("the tap inside", (tap.node, tap.interface, tap.ifindex, where), inside)

    def _namespace(self, node: Node, pid: int | None) -> int:
        """The inode of the network namespace of a process, by the id that the node gives it."""
        on_node = first_process(Tree(self.ground.lab.places.cgroup), node)
        enter = ["nsenter", "--target", str(on_node), "--pid", "--mount", "--root", "--"]
        done = subprocess.run(
            [*enter, "readlink", f"/proc/{pid}/ns/net"], capture_output=True, text=True, check=False
        )
        return int(done.stdout.strip().removeprefix("net:[").removesuffix("]") or 0)

    def _capture(self, order: Order, agent: AgentPod, pod: Pod, tap: Tap, evidence: Evidence) -> None:
        """Captures markers to the pod and to others, and looks at what arrived."""
        spool, here = Spool(agent), self.folder / f"{order.number}.pcap"
        payload = f"podcap soak {order.number:08}".encode()
        spool.start(tap, "", _LIMITS)
        self._send(order, pod, payload)
        spool.follow(here, should_stop=lambda: True)
        report = spool.finish(here)
        after = watched(self.cluster, agent, pod, tap, evidence)
        _same("how it ended", (report.ended_by, report.error, report.packets_dropped_by_kernel), _WELL)
        packets = list(seen(here))
        if order.kind == HOST_NETWORK:
            _judge_host(packets, payload)
        else:
            _judge(packets, pod, payload)
            if after is None:
                raise WrongError("the node could not be asked once more")
            to_pod, from_pod = (
                sum(getattr(one, which) in pod.ips for one in packets) for which in ("target", "source")
            )
            counted = Captured(report.packets_captured or 0, to_pod, from_pod)
            said = list(contradictions(after.before, after.after, counted, pod, after.now))
            _same("what contradicts the capture", said, [])
        here.unlink()

    def _send(self, order: Order, pod: Pod, payload: bytes) -> None:
        """From another node: a macvlan pod cannot be reached from its own."""
        other = next(node for node in NODES if node != order.node)
        sender = self.ground.senders[other.name]
        for _ in range(_ROUNDS):
            if order.kind == HOST_NETWORK:
                sender.datagram(order.node.address, _port(order), payload)
            else:
                for ip in pod.ips:
                    sender.ping(ip, payload)
            for ip in self.ground.standing[order.node.name]:
                sender.ping(ip, b"not to be seen..")
                sender.datagram(ip, _FIRST_PORT, b"not to be seen..")
            time.sleep(_ROUND_SECONDS)


def _port(order: Order) -> int:
    return _FIRST_PORT + 1 + order.number


def _range(order: Order) -> str:
    return TOPOLOGIES[order.kind].range(order.node)


def _judge(packets: list[Seen], pod: Pod, payload: bytes) -> None:
    own = set(pod.ips)
    for ip in pod.ips:
        for direction, which in (("to", "target"), ("from", "source")):
            if not any(getattr(one, which) == ip and payload in one.content for one in packets):
                raise WrongError(f"no marker {direction} {ip} among {len(packets)} packets")
    for one in packets:
        if not one.everyone and not {one.source, one.target} & own and not _of_the_link(one):
            raise WrongError(f"a packet of others: {one.source} > {one.target}: {one.content[:60]!r}")


def _of_the_link(one: Seen) -> bool:
    """Whether neighbours look for each other; a bridge floods what they send to one that is gone."""
    solicits = one.content[6] == _ICMPV6 and one.content[40] == _SOLICITATION if ":" in one.source else False
    return solicits or (ip_address(one.source).is_link_local and ip_address(one.target).is_link_local)


def _judge_host(packets: list[Seen], payload: bytes) -> None:
    if not packets or any(payload not in one.content for one in packets):
        raise WrongError(f"{len(packets)} packets, not the markers to the pod's port alone")


def _same(what: str, found: object, right: object) -> None:
    if found != right:
        raise WrongError(f"{what}: {json.dumps(found)} instead of {json.dumps(right)}")
