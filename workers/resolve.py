"""From what was asked for to the taps that it means: pods behind each target, and nodes' uplinks."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from workers.cluster.cluster import Cluster
from workers.cluster.errors import (
    ClusterError,
    NamespaceNotFoundError,
    NodeNotFoundError,
    NodeNotReadyError,
    NotRunningError,
    PodNotFoundError,
)
from workers.cluster.node import Node, node_from_json
from workers.cluster.pod import Pod
from workers.cluster.suggest import did_you_mean
from workers.cluster.workloads import (
    DAEMON_SET,
    DEPLOYMENT,
    JOB,
    REPLICA_SET,
    SERVICE,
    STATEFUL_SET,
    NothingThereError,
    pods_behind,
    pods_of,
    pods_that_begin,
    pods_with_labels,
    the,
)
from workers.entrances import Entrance, entered_nodes, entrance
from workers.ledger.tap_record import TapKind, TapRecord, TapState
from workers.request.request import Request, Target, TargetKind

_WORKLOADS = {
    TargetKind.DEPLOYMENT: DEPLOYMENT,
    TargetKind.STATEFULSET: STATEFUL_SET,
    TargetKind.DAEMONSET: DAEMON_SET,
    TargetKind.REPLICASET: REPLICA_SET,
    TargetKind.JOB: JOB,
}
_SHOWN_NAMES = 5
_SHOWN_SENTENCES = 6

# What is wrong with one target, so that the others are looked up all the same and all are told of at once.
_WRONG = (NothingThereError, PodNotFoundError, NamespaceNotFoundError)

# It is there, and nothing can be captured from it now: the others can be, all the same.
_DOWN = (NotRunningError, NodeNotReadyError, NodeNotFoundError)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a request means now.

    Attributes:
        taps: One for each pod and each node's uplink, numbered. At least one can be captured; one that was
            named and cannot be has failed, with its sentence.
        notes: Sentences for the thread.
    """

    taps: tuple[TapRecord, ...]
    notes: tuple[str, ...] = ()


def resolve(cluster: Cluster, request: Request, *, uplinks: frozenset[str] = frozenset()) -> Resolved:
    """Looks up every target of a request.

    Args:
        cluster: The cluster.
        request: What was asked for.
        uplinks: Namespaces whose Services may be captured at nodes' uplinks, too.

    Raises:
        ClusterError: A target is not there, none has anything to capture, or the cluster does not say.
    """
    looking = _Looking(cluster, uplinks)
    wrong: list[ClusterError] = []
    for number, target in enumerate(request.targets):
        try:
            looking.look(number, target)
        except _WRONG as error:
            wrong.append(error)
    if wrong or not looking.anything:
        wrong += looking.down.values()
    if len(wrong) > 1:
        raise ClusterError(" ".join(map(str, wrong[:_SHOWN_SENTENCES])))
    if wrong:
        raise wrong[0]
    return looking.resolved()


@dataclass
class _Looking:
    cluster: Cluster
    uplinks: frozenset[str]
    pods: dict[str, tuple[int, Pod]] = field(default_factory=dict)
    """By UID; a pod of two targets is the first one's."""
    nodes: dict[str, tuple[int, tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    """By name: the target, the filters (none: everything), the node's addresses."""
    down: dict[TapRecord, ClusterError] = field(default_factory=dict)
    """What was named and cannot be captured now, as a tap that failed, and why."""
    notes: list[str] = field(default_factory=list)
    _known: list[Node] | None = None

    @property
    def anything(self) -> bool:
        """Whether there is anything to capture."""
        return bool(self.pods or self.nodes)

    def look(self, number: int, target: Target) -> None:
        cluster, namespace, name = self.cluster, target.namespace, target.name
        match target.kind:
            case TargetKind.POD:
                self._named(number, _one_pod(cluster, namespace, name))
            case TargetKind.LABELS:
                self._take(number, pods_with_labels(cluster, namespace, name))
            case TargetKind.SERVICE:
                self._service(number, target)
            case TargetKind.NODE:
                self._whole_node(number, self._node(name))
            case kind:
                self._take(number, pods_of(cluster, _WORKLOADS[kind], namespace, name))

    def _named(self, number: int, pod: Pod) -> None:
        try:
            self.cluster.refuse_unless_capturable(pod)
        except _DOWN as error:
            self._fails(_tap(number, pod), error)
        else:
            self._take(number, [pod])

    def _whole_node(self, number: int, node: Node) -> None:
        if node.ready:
            # All that passes there holds whatever part of it another target wants.
            self.nodes[node.name] = (number, (), node.addresses)
            return
        why = f" ({node.why})" if node.why else ""
        error = NodeNotReadyError(f"Node {node.name} is not Ready{why}: nothing can be captured there.")
        self._fails(TapRecord(0, TapKind.UPLINK, node=node.name, target=number), error)

    def _fails(self, tap: TapRecord, error: ClusterError) -> None:
        if tap.name not in {other.name for other in self.down}:
            self.down[replace(tap, state=TapState.FAILED, sentence=str(error))] = error

    def _take(self, number: int, pods: Iterable[Pod]) -> None:
        for pod in pods:
            self.pods.setdefault(pod.uid, (number, pod))

    def _service(self, number: int, target: Target) -> None:
        service = the(self.cluster, SERVICE, target.namespace, target.name)
        pods = pods_behind(self.cluster, service)
        self._take(number, pods)
        entered = entrance(service)
        if entered is None:
            return
        if target.namespace not in self.uplinks:
            self.notes.append(
                f"Service {target.namespace}/{target.name} is reached from outside, too: `uplinks: true` in "
                "the policy's rule would also show by which node each client came in, and from where."
            )
            return
        self._enter(number, entered, pods)

    def _enter(self, number: int, entered: Entrance, pods: Iterable[Pod]) -> None:
        ready = {node.name: node for node in self._all_nodes() if node.ready}
        for name in entered_nodes(entered, pods_on=[pod.node or "" for pod in pods], ready=ready):
            first, filters, addresses = self.nodes.get(name, (number, ("",), ready[name].addresses))
            if filters:  # else all of the node is captured
                wanted = tuple(filter(None, (*filters, entered.filter)))
                self.nodes[name] = (first, wanted, addresses)

    def _all_nodes(self) -> list[Node]:
        if self._known is None:
            self._known = list(map(node_from_json, self.cluster.objects("/api/v1/nodes")))
        return self._known

    def _node(self, name: str) -> Node:
        nodes = self._all_nodes()
        found = next((node for node in nodes if node.name == name), None)
        if found is None:
            near = did_you_mean(name, [node.name for node in nodes])
            raise NothingThereError(f"There is no node {name}.{near}")
        return found

    def resolved(self) -> Resolved:
        taps = [_tap(target, pod) for target, pod in _each_port_once(self.pods.values())]
        taps += [
            TapRecord(
                0, TapKind.UPLINK, node=name, target=target, filter=" or ".join(filters), addresses=addresses
            )
            for name, (target, filters, addresses) in self.nodes.items()
        ]
        # A workload's pod on a node that is down is known to run, and fails in its time.
        taps += [tap for tap in self.down if tap.pod_uid not in self.pods]
        return Resolved(
            tuple(replace(tap, number=number) for number, tap in enumerate(taps)), tuple(self.notes)
        )


def _tap(target: int, pod: Pod) -> TapRecord:
    return TapRecord(
        0,
        namespace=pod.namespace,
        pod=pod.name,
        pod_uid=pod.uid,
        node=pod.node,
        target=target,
        addresses=pod.ips,
    )


def _one_pod(cluster: Cluster, namespace: str, name: str) -> Pod:
    """The pod of that name in whatever state, or else the running one whose name begins so."""
    try:
        return cluster.pod(namespace, name)
    except PodNotFoundError as error:
        try:
            begin = pods_that_begin(cluster, namespace, name)
        except ClusterError:
            begin = []
        if not begin:
            raise
        if len(begin) == 1:
            return begin[0]
        names = sorted(pod.name for pod in begin)
        shown = ", ".join(names[:_SHOWN_NAMES]) + (", …" if len(names) > _SHOWN_NAMES else "")
        raise PodNotFoundError(
            f"There is no pod {name} in namespace {namespace}, and {len(names)} whose names begin so: "
            f"name one of {shown}."
        ) from error


def _each_port_once(found: Iterable[tuple[int, Pod]]) -> list[tuple[int, Pod]]:
    """Pods in their node's network with the same ports have the same packets: one of them is enough."""
    seen: set[tuple[str | None, frozenset[tuple[str, int]]]] = set()
    kept = []
    for target, pod in found:
        if pod.host_network:
            ports = (pod.node, frozenset((port.protocol, port.number) for port in pod.ports))
            if ports in seen:
                continue
            seen.add(ports)
        kept.append((target, pod))
    return kept
