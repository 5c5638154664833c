"""Each finding about a Service is there where taps show it, and not where they nearly do."""

import subprocess
from dataclasses import replace

import pytest

from tests.hangs import HANGS
from tests.workers.service_truth.scene import (
    CLUSTER_IP,
    SERVICE,
    Scene,
    bridge,
    lan,
    local,
    with_affinity,
)
from tests.workers.summary import packets
from workers.names.names import Names
from workers.names.snapshot import Pod
from workers.service_truth.findings.found import IDS, without_said
from workers.summary.endpoint import Endpoint
from workers.summary.finding import Finding

CLIENT = "192.168.1.35"
SHOPPER = Pod("traefik", "shopper", "node1", ("10.244.1.99",))


def ids(scene: Scene) -> list[str]:
    return [each.id for each in scene.findings()]


def only(scene: Scene, name: str) -> Finding:
    (found,) = (each for each in scene.findings() if each.id == name)
    return found


def many(scene: Scene, shares: dict[str, int], *, requests: int = 1, entry: str = "") -> Scene:
    """So many connections at each replica, each of another client."""
    number = 0
    for replica, times in shares.items():
        for _ in range(times):
            number += 1
            client = Endpoint(f"192.168.{7 + number // 200}.{1 + number % 200}", 40000 + number)
            is_local = scene.service.external_traffic_policy == "Local"
            node = scene.where[replica] if is_local else entry or f"node{1 + number % 3}"
            scene.comes(client, node, replica, number / 10, local=is_local, requests=requests)
    return scene


def test_the_client_the_pods_view_of_it_the_node_and_the_field_are_named() -> None:
    scene = Scene().comes(Endpoint(CLIENT, 50000), "node1", "a")
    found = only(scene, "service-path")
    assert found.sentence == (
        "Client `192.168.1.35` appears at the pod `traefik/cheddar-a` as `10.244.1.1`: Service "
        "`traefik/cheddar` has `externalTrafficPolicy: Cluster`, so that node `node1`, where it came in, "
        "puts its own address in place of the client's."
    )
    assert (found.severity, found.frame) == ("warning", 1)
    assert found.display_filter == (
        "frame.number >= 1 && ((ip.addr == 192.168.1.35 && ip.addr == 192.168.1.201 && tcp.port == 32604) || "
        "(ip.addr == 10.244.1.1 && ip.addr == 10.244.1.7 && tcp.port == 8080))"
    )


def test_with_local_the_pods_see_their_clients() -> None:
    scene = Scene(service=local()).comes(Endpoint(CLIENT, 50000), "node1", "a", local=True)
    assert only(scene, "service-path").severity == "info"


def test_what_would_show_unknown_clients_depends_on_what_was_captured() -> None:
    scene = Scene().comes(Endpoint(CLIENT, 50000), "node1", "a", seen=False)
    assert "lets it through, or without one" in only(scene, "service-path").next
    (found,) = scene.findings("abc")
    assert "`uplinks: true`" in found.next


def test_a_service_without_node_ports_rewrites_nobody() -> None:
    inner = replace(SERVICE, type="ClusterIP", external_traffic_policy="", ports=SERVICE.ports)
    scene = Scene(service=replace(inner, ports=(replace(SERVICE.ports[0], node_port=0),)))
    scene.tcp("a", Endpoint(bridge("node1"), 1500), Endpoint(scene.ip("a"), 8080))
    assert ids(scene) == []


def test_a_process_of_a_node_is_thought_of_where_no_port_proves_the_rewriting() -> None:
    scene = Scene()
    scene.tcp("a", Endpoint(lan("node2"), 40000), Endpoint(scene.ip("a"), 8080))
    assert "(or processes on those nodes themselves ask)" in only(scene, "service-path").sentence
    scene.tcp("a", Endpoint(lan("node2"), 1500), Endpoint(scene.ip("a"), 8080))
    assert "themselves" not in only(scene, "service-path").sentence


def test_probes_alone_are_no_path() -> None:
    scene = Scene()
    for number in range(5):
        scene.tcp(
            "a", Endpoint(bridge("node1"), 40000 + number), Endpoint(scene.ip("a"), 8080), said=0, requests=0
        )
    assert ids(scene) == []


@pytest.mark.parametrize(("replica", "crossed"), [("a", 0), ("b", 1)])
def test_the_clusters_own_clients_stay_on_their_node_or_cross(replica: str, crossed: int) -> None:
    scene = Scene(clients=(SHOPPER,))
    client, back = Endpoint(SHOPPER.ips[0], 50000), Endpoint(scene.ip(replica), 8080)
    front = Endpoint(CLUSTER_IP, 80)
    scene.tcp("shopper", client, front).tcp(replica, client, back)
    scene.passes(("shopper", client, front), (replica, client, back))
    found = only(scene, "service-path")
    assert (found.numbers["field"], found.numbers["crossed"]) == ("spec.internalTrafficPolicy", crossed)


def turned_away(scene: Scene, *, answered: bool = False) -> Scene:
    """A client knocks at node2."""
    return scene.tcp(
        "uplink node2", Endpoint(CLIENT, 50000), Endpoint(lan("node2"), 32604), answered=answered
    )


def test_a_node_without_endpoint_turns_clients_away_with_local() -> None:
    found = only(turned_away(Scene(service=local(), where={"a": "node1"})), "service-path")
    assert found.severity == "critical"
    assert "Node `node2` turns clients of Service `traefik/cheddar` away" in found.sentence
    assert found.numbers["field"] == "spec.externalTrafficPolicy"


def test_one_whose_only_endpoint_is_not_ready_turns_them_away_as_well() -> None:
    scene = Scene(service=local(), ready=frozenset("ac"))
    assert "no ready endpoint is on that node" in only(turned_away(scene), "service-path").sentence


def test_a_connection_that_an_endpoint_could_have_answered_is_not_the_policys_fault() -> None:
    assert ids(turned_away(Scene(service=local()))) == []
    assert ids(turned_away(Scene(where={"a": "node1"}))) == []


def test_what_was_answered_was_not_turned_away() -> None:
    assert ids(turned_away(Scene(service=local(), where={"a": "node1"}), answered=True)) == []


def test_a_service_without_ready_endpoints_is_said_to_have_none() -> None:
    scene = turned_away(Scene(ready=frozenset()))
    assert "none of its endpoints is ready" in only(scene, "service-path").sentence


def test_for_pods_of_the_cluster_the_internal_policy_holds() -> None:
    near = replace(SERVICE, internal_traffic_policy="Local")
    scene = Scene(service=near, where={"b": "node2"}, clients=(SHOPPER,))
    scene.tcp("shopper", Endpoint(SHOPPER.ips[0], 50000), Endpoint(CLUSTER_IP, 80), answered=False)
    assert only(scene, "service-path").numbers["field"] == "spec.internalTrafficPolicy"
    scene.service = local()
    assert ids(scene) == []


def test_a_kept_and_a_broken_affinity_are_told() -> None:
    scene = Scene(service=with_affinity())
    for number in range(4):
        scene.comes(Endpoint(CLIENT, 50000 + number), "node1", "b", number)
    found = only(scene, "affinity-kept")
    assert found.sentence == (
        "`sessionAffinity: ClientIP` of Service `traefik/cheddar` was kept: all connections that "
        "`192.168.1.35` opened through the same node went to the same replica (4 in all)."
    )
    scene.comes(Endpoint(CLIENT, 50009), "node1", "c", 5)
    found = only(scene, "affinity-broken")
    assert "affinity-kept" not in ids(scene)
    assert found.severity == "warning"
    assert (
        "came in at node `node1` by `192.168.1.201:32604` and reached 2 replicas, `traefik/cheddar-b` and "
        "`traefik/cheddar-c`, 2.0 s apart, although a client is to stay for 10,800 s."
    ) in found.sentence


def test_one_connection_keeps_nothing() -> None:
    scene = Scene(service=with_affinity()).comes(Endpoint(CLIENT, 50000), "node1", "b")
    assert ids(scene) == ["service-path"]


def test_a_few_connections_that_carry_all_requests_are_told() -> None:
    found = only(many(Scene(), {"a": 2, "b": 1, "c": 1}, requests=20), "replica-share")
    assert found.severity == "warning"
    assert "Kubernetes shares out connections, not requests, and 4 connections carried them" in found.sentence
    assert "`traefik/cheddar-a` got 50 % of 80 requests" in found.sentence


def test_shares_that_chance_does_not_make_are_told() -> None:
    assert (
        "chance does not explain" in only(many(Scene(), {"a": 50, "b": 5, "c": 5}), "replica-share").sentence
    )


def test_shares_that_are_nearly_equal_or_of_little_are_not_told() -> None:
    assert "replica-share" not in ids(many(Scene(), {"a": 26, "b": 17, "c": 17}))
    assert "replica-share" not in ids(many(Scene(), {"a": 20, "b": 5, "c": 4}))


def test_shares_that_a_policy_or_affinity_makes_are_good_to_know() -> None:
    for service in (local(), with_affinity()):
        found = only(many(Scene(service=service), {"a": 50, "b": 5, "c": 5}), "replica-share")
        assert found.severity == "info"


def test_a_replica_that_was_not_captured_has_no_share() -> None:
    scene = many(Scene(), {"a": 60, "b": 0, "c": 0})
    found = {each.id for each in scene.findings(["a", "uplink node1", "uplink node2", "uplink node3"])}
    assert found == {"service-path"}


def test_an_endpoint_that_gets_nothing_is_told() -> None:
    found = only(many(Scene(), {"a": 8, "b": 8}), "endpoint-idle")
    assert found.sentence.startswith(
        "`traefik/cheddar-c` is a ready endpoint of Service `traefik/cheddar` and got nothing, while others "
        "answered 16 connections"
    )
    assert found.numbers["chance"] == pytest.approx((2 / 3) ** 16)


@pytest.mark.parametrize(
    "scene",
    [
        many(Scene(), {"a": 4, "b": 4}),
        many(Scene(ready=frozenset("ab")), {"a": 9, "b": 9}),
        many(Scene(service=with_affinity()), {"a": 4, "b": 4}),
    ],
    ids=["chance", "not ready", "affinity of few clients"],
)
def test_an_endpoint_whose_lack_something_explains_is_not_told(scene: Scene) -> None:
    assert "endpoint-idle" not in ids(scene)


def test_with_affinity_one_client_with_many_connections_leaves_others_idle() -> None:
    scene = Scene(service=with_affinity())
    for number in range(40):
        scene.comes(Endpoint(CLIENT, 50000 + number), "node1", "b", number)
    assert "endpoint-idle" not in ids(scene)


def test_an_endpoint_that_was_refused_or_failed_to_answer_is_not_idle() -> None:
    scene = many(Scene(), {"a": 8, "b": 8})
    scene.tcp("c", Endpoint(bridge("node3"), 1500), Endpoint(scene.ip("c"), 8080), answered=False)
    assert "endpoint-idle" not in ids(scene)


def test_with_local_an_endpoint_at_whose_node_nobody_came_in_is_good_to_know() -> None:
    found = only(many(Scene(service=local()), {"a": 8, "b": 8}), "endpoint-idle")
    assert found.severity == "info"
    assert "nobody came in at its node `node3`" in found.sentence


def test_what_one_sentence_says_for_all_taps_is_not_said_again_for_each() -> None:
    said = Finding("source-rewritten", "warning", "…", {"service": "traefik/cheddar"})
    other = Finding("source-rewritten", "warning", "…", {"service": "shop/web"})
    between = Finding("rewritten-between", "info", "…", {"after": "traefik/cheddar-b:8080"})
    beside = Finding("rewritten-between", "info", "…", {"after": "93.184.216.34:443"})
    others = (said, other, between, beside)

    def left(scene: Scene) -> tuple[Finding, ...]:
        return without_said(others, scene.findings(), scene.truths(), Names(scene.snapshot))

    assert left(Scene().comes(Endpoint(CLIENT, 50000), "node1", "a")) == (other, beside)
    assert left(Scene().comes(Endpoint(CLIENT, 50000), "node1", "a", seen=False)) == (other, between, beside)
    seen = Scene(service=local()).comes(Endpoint(CLIENT, 50000), "node1", "a", local=True)
    assert left(seen) == (said, other, beside)


def test_each_filter_is_one_that_wireshark_takes() -> None:
    scenes = [
        Scene().comes(Endpoint(CLIENT, 50000), "node1", "a"),
        Scene().comes(Endpoint(CLIENT, 50000), "node1", "a", seen=False),
        turned_away(Scene(ready=frozenset())),
        many(Scene(), {"a": 50, "b": 5, "c": 0}),
        many(Scene(service=local()), {"a": 8, "b": 8}),
    ]
    sticky = Scene(service=with_affinity())
    for number, replica in enumerate("bbc"):
        sticky.comes(Endpoint(CLIENT, 50000 + number), "node1", replica, number)
    steady = Scene(service=with_affinity())
    for number in range(2):
        steady.comes(Endpoint(CLIENT, 50000 + number), "node1", "b", number)
    found = [each for scene in (*scenes, sticky, steady) for each in scene.findings()]
    assert {each.id for each in found} == set(IDS)
    every = " || ".join(f"({text})" for text in sorted({each.display_filter for each in found}))
    read = ["tshark", "-r", "-", "-Y", every]
    done = subprocess.run(read, input=packets.pcap([]), capture_output=True, timeout=HANGS, check=False)
    assert done.returncode == 0, done.stderr
