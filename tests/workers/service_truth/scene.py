"""A Service on three nodes, and connections to it: what the taps at its replicas and in front of it see."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from workers.names.names import Names
from workers.names.snapshot import Endpoint as Member
from workers.names.snapshot import (
    EndpointSlice,
    Node,
    Pod,
    Port,
    Probe,
    Service,
    ServicePort,
    Snapshot,
)
from workers.service_truth.counted import count_visits
from workers.service_truth.findings.found import findings
from workers.service_truth.sight import Sight
from workers.service_truth.told import service_truths
from workers.service_truth.truth import ServiceTruth
from workers.summary.endpoint import Endpoint
from workers.summary.finding import Finding
from workers.summary.flow import Flow
from workers.summary.summary import Summary, Totals
from workers.vantage.comparison import Comparison
from workers.vantage.passage import Passage, Segment, Stop
from workers.vantage.vantage import Vantage

BEGIN = 1_795_000_000 * 10**9
NODE_PORT, CLUSTER_IP = 32604, "10.96.1.20"
NODES = {"node1": 1, "node2": 2, "node3": 3}
REPLICAS = {"a": "node1", "b": "node2", "c": "node3"}
SERVICE = Service(
    "traefik",
    "cheddar",
    "NodePort",
    (CLUSTER_IP,),
    ports=(ServicePort(80, "TCP", "http", NODE_PORT, "8080"),),
    external_traffic_policy="Cluster",
    internal_traffic_policy="Cluster",
)


def lan(node: str) -> str:
    return f"192.168.1.20{NODES[node]}"


def bridge(node: str) -> str:
    return f"10.244.{NODES[node]}.1"


@dataclass
class Scene:
    """The cluster, and what happened in it; `at` are seconds since the capture began."""

    service: Service = SERVICE
    where: dict[str, str] = field(default_factory=lambda: dict(REPLICAS))
    ready: frozenset[str] | None = None
    others: tuple[Service, ...] = ()
    clients: tuple[Pod, ...] = ()
    flows: dict[str, list[Flow]] = field(default_factory=dict)
    passages: list[Passage] = field(default_factory=list)
    rewritten: int = 0

    def ip(self, replica: str) -> str:
        return f"10.244.{NODES[self.where[replica]]}.{ord(replica) - 90}"

    @property
    def snapshot(self) -> Snapshot:
        pods = tuple(
            Pod(
                "traefik",
                f"cheddar-{name}",
                node,
                (self.ip(name),),
                probes=(Probe("readiness", "tcp", 8080),),
            )
            for name, node in self.where.items()
        )
        members = tuple(
            Member((self.ip(name),), f"cheddar-{name}", node, self.ready is None or name in self.ready)
            for name, node in self.where.items()
        )
        ports = (Port(8080, "TCP", "http"),)
        services = (self.service, *self.others)
        return Snapshot(
            0.0,
            (*pods, *self.clients),
            services,
            tuple(EndpointSlice("traefik", each.name, members, ports) for each in services),
            tuple(Node(name, (lan(name),), (f"10.244.{number}.0/24",)) for name, number in NODES.items()),
        )

    def tcp(
        self,
        tap: str,
        client: Endpoint,
        server: Endpoint,
        at: float = 0.0,
        *,
        requests: int = 1,
        answered: bool = True,
        opened: bool = True,
        said: int = 100,
    ) -> "Scene":
        """A connection as one tap sees it."""
        flow = Flow("TCP", client, server, 5, 500, 5 if answered else 0, 500 if answered else 0, at, 0.01)
        flow = flow._replace(
            opened_by="a" if opened else None,
            handshake=0.001 if answered and opened else None,
            syns_ab=1 if opened else 0,
            payload_ab=said if answered else 0,
            payload_ba=said if answered else 0,
            closed_by="a",
            first_frame=1,
            requests=requests if answered else 0,
        )
        self.flows.setdefault(tap, []).append(flow)
        return self

    def comes(
        self,
        client: Endpoint,
        entry: str,
        replica: str,
        at: float = 0.0,
        *,
        local: bool = False,
        seen: bool = True,
        requests: int = 1,
        port: int = NODE_PORT,
    ) -> "Scene":
        """A connection from outside by a node's port, at the uplink (if `seen`) and at the replica.

        With `local` nothing but its destination is rewritten.
        """
        node = self.where[replica]
        source = client
        if not local:
            self.rewritten += 1
            source = Endpoint(bridge(entry) if node == entry else lan(entry), 1024 + self.rewritten)
        front, back = Endpoint(lan(entry), port), Endpoint(self.ip(replica), 8080)
        self.tcp(replica, source, back, at, requests=requests)
        if seen:
            self.tcp(f"uplink {entry}", client, front, at, requests=requests)
            self.passes((f"uplink {entry}", client, front), (replica, source, back), at=at)
        return self

    def passes(self, *stops: tuple[str, Endpoint, Endpoint], at: float = 0.0) -> "Scene":
        """The same connection, recognised at several taps."""
        frame = len(self.passages) * 10 + 1
        self.passages.append(
            Passage(
                "TCP",
                tuple(
                    Stop(self.number(tap), client, server, frame + number, self.time(at), 5, 5)
                    for number, (tap, client, server) in enumerate(stops)
                ),
                tuple(Segment(one[1] != other[1], one[2] != other[2]) for one, other in pairwise(stops)),
            )
        )
        return self

    @staticmethod
    def time(at: float) -> int:
        return BEGIN + round(at * 1e9)

    @property
    def taps(self) -> list[str]:
        return [*self.where, *(each.name for each in self.clients), *(f"uplink {node}" for node in NODES)]

    def number(self, tap: str) -> int:
        return self.taps.index(tap)

    def vantage(self, tap: str) -> Vantage:
        if tap.startswith("uplink "):
            node = tap.removeprefix("uplink ")
            return Vantage(self.number(tap), tap, "uplink", node, (lan(node),))
        pods = {each.name: each for each in self.clients}
        if tap in pods:
            return Vantage(self.number(tap), tap, "pod", pods[tap].node, pods[tap].ips)
        return Vantage(self.number(tap), tap, "pod", self.where[tap], (self.ip(tap),))

    def sight(self, tap: str) -> Sight:
        flows = tuple(sorted(self.flows.get(tap, []), key=lambda flow: flow.start))
        last = max((flow.start for flow in flows), default=0.0)
        summary = Summary(Totals(first=BEGIN, last=self.time(last)), flows, payload=True)
        return Sight(self.vantage(tap), count_visits(summary, self.snapshot), last)

    def truths(
        self, taps: Iterable[str] | None = None, *, later: Snapshot | None = None
    ) -> tuple[ServiceTruth, ...]:
        """With all taps, or some."""
        chosen = list(self.taps if taps is None else taps)
        numbers = {self.number(each) for each in chosen}
        met = [each for each in self.passages if all(stop.vantage in numbers for stop in each.stops)]
        comparison = Comparison(tuple(map(self.vantage, self.taps)), passages=tuple(met))
        return service_truths(list(map(self.sight, chosen)), self.snapshot, comparison, later=later)

    def findings(self, taps: Iterable[str] | None = None) -> list[Finding]:
        cluster = self.snapshot
        return list(findings(self.truths(taps), cluster, Names(cluster)))

    def truth(self, taps: Iterable[str] | None = None, *, later: Snapshot | None = None) -> ServiceTruth:
        (found,) = self.truths(taps, later=later)
        return found


def with_affinity(service: Service = SERVICE, seconds: int = 10_800) -> Service:
    return replace(service, session_affinity="ClientIP", affinity_seconds=seconds)


def local(service: Service = SERVICE) -> Service:
    return replace(service, external_traffic_policy="Local")
