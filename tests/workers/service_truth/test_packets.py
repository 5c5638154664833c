"""From packets at the nodes' uplinks and at the replicas to the truth about the Service."""

from itertools import count

import pytest

from tests.workers.service_truth.scene import NODES, REPLICAS, Scene, bridge, lan, local, with_affinity
from tests.workers.summary import packets
from tests.workers.summary.findings.wire import summary_of
from tests.workers.summary.packets import SYN
from tests.workers.vantage.world import MS, NOW, At, Sent, World, talk
from workers.names.form import to_json
from workers.names.names import Names
from workers.names.snapshot import Snapshot
from workers.service_truth.findings.found import findings, without_said
from workers.service_truth.sight import Sight
from workers.service_truth.told import service_truths
from workers.service_truth.truth import ServiceTruth
from workers.summary.context import Context
from workers.summary.finding import Finding
from workers.summary.findings.ranking import ranked
from workers.vantage.comparison import Comparison
from workers.vantage.vantage import Vantage

FIRST, SECOND = "192.168.1.35", "192.168.1.36"
# client, the node it comes in at, the replica: each client at each node stays at one.
CAME = [(FIRST, "node1", "a")] * 3 + [(FIRST, "node2", "c")] * 2 + [(SECOND, "node1", "b")] * 3


class Article:
    """The nodes' uplinks and the replicas' interfaces, and clients that come in by node ports."""

    def __init__(self, *, is_local: bool = False, overlay: bool = False) -> None:
        self.scene = Scene(service=with_affinity(local() if is_local else Scene().service))
        self.overlay, self.is_local = overlay, is_local
        taps = [*REPLICAS, *(f"uplink {node}" for node in NODES)]
        times = NOW, NOW + 60_000 * MS, 0
        self.taps = {
            tap: Vantage(number, *self._about(tap), f"veth{number}", *times)
            for number, tap in enumerate(taps)
        }
        self.world = World(tuple(self.taps.values()))
        self._numbers = count(1)

    def _about(self, tap: str) -> tuple[str, str, str, tuple[str, ...]]:
        told = self.scene.vantage(tap)
        return tap, told.kind, told.node, told.addresses

    def comes(self, client: str, entry: str, replica: str) -> None:
        number = next(self._numbers)
        node, pod = REPLICAS[replica], f"{self.scene.ip(replica)}:8080"
        asked = f"{client}:{40000 + number}"
        front, back = self.taps[f"uplink {entry}"], self.taps[f"uplink {node}"]
        route = [At(front, asked, f"{lan(entry)}:32604")]
        if self.is_local:
            route.append(At(self.taps[replica], asked, pod))
        elif node == entry:
            route.append(At(self.taps[replica], f"{bridge(entry)}:{1024 + number}", pod))
        else:
            # flannel's VXLAN interface has the first number of the node's range.
            own = f"10.244.{NODES[entry]}.0" if self.overlay else lan(entry)
            seen = f"{own}:{1024 + number}"
            route += [At(each, seen, pod, tunnelled=self.overlay) for each in (front, back)]
            route.append(At(self.taps[replica], seen, pod))
        sent = talk(1000 * MS + number * 100 * MS, 1000 + number * 777, 9000 + number * 999, 2)
        self.world.pass_by(route, sent)

    @property
    def cluster(self) -> Snapshot:
        return self.scene.snapshot

    def sight(self, vantage: Vantage) -> Sight:
        records = sorted(self.world.records[vantage.number], key=lambda each: each.time)
        context = Context(cluster=to_json(self.cluster))
        summary = summary_of(packets.pcap(records, nanoseconds=True), context, payload=False)
        return Sight(vantage, summary.digest(flows=1).visits, summary.totals.duration)

    def comparison(self) -> Comparison:
        return self.world.compare(self.cluster)

    def truth(self, comparison: Comparison) -> ServiceTruth:
        (found,) = service_truths(list(map(self.sight, self.taps.values())), self.cluster, comparison)
        return found

    def findings(self, comparison: Comparison) -> dict[str, Finding]:
        """By their ids; of those that are alike the gravest."""
        truths, names = [self.truth(comparison)], Names(self.cluster)
        found = findings(truths, self.cluster, names)
        left = without_said(comparison.findings, found, truths, names)
        return {each.id: each for each in reversed(ranked((*found, *left)))}


@pytest.mark.parametrize("overlay", [False, True])
def test_behind_cluster_client_node_service_and_field_are_named_for_every_replica(overlay: bool) -> None:
    article = Article(overlay=overlay)
    for each in CAME:
        article.comes(*each)
    comparison = article.comparison()
    truth = article.truth(comparison)
    away = "10.244.{}.0" if overlay else "192.168.1.20{}"
    ip = article.scene.ip
    assert {
        (each.client, each.entry, each.seen, each.replica, each.connections) for each in truth.reached
    } == {
        (FIRST, "node1", bridge("node1"), ip("a"), 3),
        (FIRST, "node2", away.format(2), ip("c"), 2),
        (SECOND, "node1", away.format(1), ip("b"), 3),
    }
    found = article.findings(comparison)
    assert set(found) == {"service-path", "affinity-kept"}
    assert found["service-path"].sentence.startswith(
        "Client `192.168.1.35` appears at the pod `traefik/cheddar-a` as `10.244.1.1`: Service "
        "`traefik/cheddar` has `externalTrafficPolicy: Cluster`"
    )
    assert found["service-path"].numbers["times"] == 8
    assert found["affinity-kept"].numbers["clients"] == 2
    assert "`192.168.1.35` came in at `node1` and `node2`" in found["affinity-kept"].sentence


def test_behind_local_the_replicas_see_their_clients_and_nothing_had_a_choice() -> None:
    article = Article(is_local=True)
    for client, _, replica in CAME:
        article.comes(client, REPLICAS[replica], replica)
    found = article.findings(article.comparison())
    assert set(found) == {"service-path"}
    assert found["service-path"].numbers["value"] == "Local"
    assert f"8 connections of `{FIRST}` (5) and `{SECOND}` (3)" in found["service-path"].sentence


def test_one_client_that_changes_its_replica_is_told_with_its_true_address() -> None:
    article = Article()
    for replica in "aab":
        article.comes(FIRST, "node3", replica)
    found = article.findings(article.comparison())
    assert found["affinity-broken"].numbers["client"] == FIRST
    assert found["affinity-broken"].numbers["node"] == "node3"


def test_clients_that_a_policy_turned_away_are_not_said_to_be_lost_on_the_way() -> None:
    article = Article(is_local=True)
    article.scene.where = {"a": "node1", "b": "node2"}
    article.taps.pop("c")
    article.comes(FIRST, "node1", "a")
    front = article.taps["uplink node3"]
    syns = [Sent(at * 1000 * MS, SYN, sequence=5, identity=at) for at in (1, 2, 4)]
    article.world.pass_by([At(front, f"{FIRST}:50000", f"{lan('node3')}:32604")], syns)
    comparison = article.comparison()
    assert "lost-between" in {each.id for each in comparison.findings}
    found = article.findings(comparison)
    assert "lost-between" not in found
    assert "Node `node3` turns clients of Service `traefik/cheddar` away" in found["service-path"].sentence
