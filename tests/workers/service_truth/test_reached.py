"""Who reached which replica by which way: recognised on both sides of a node, or not."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.workers.service_truth.scene import (
    CLUSTER_IP,
    NODES,
    REPLICAS,
    SERVICE,
    Scene,
    bridge,
    lan,
    local,
    with_affinity,
)
from tests.workers.summary.test_schema import faults
from workers.names.snapshot import Pod
from workers.service_truth.truth import ServiceTruth
from workers.summary.endpoint import Endpoint
from workers.summary.summary import Summary, Totals

CLIENT = "192.168.1.35"
SHOPPER = Pod("traefik", "shopper", "node1", ("10.244.1.99",))


def rows(truth: ServiceTruth) -> set[tuple[str, str, str, int]]:
    return {(each.client, each.entry, each.seen, each.connections) for each in truth.reached}


def test_a_client_is_known_where_its_connection_was_seen_before_a_node_rewrote_it() -> None:
    scene = Scene()
    scene.comes(Endpoint(CLIENT, 50000), "node1", "a").comes(
        Endpoint(CLIENT, 50001), "node1", "b", requests=4
    )
    truth = scene.truth()
    assert rows(truth) == {(CLIENT, "node1", bridge("node1"), 1), (CLIENT, "node1", lan("node1"), 1)}
    assert {each.front for each in truth.reached} == {f"{lan('node1')}:32604"}
    assert {(each.replica, each.requests) for each in truth.reached} == {
        (scene.ip("a"), 1),
        (scene.ip("b"), 4),
    }
    assert all(each.proven for each in truth.reached)


def test_without_the_uplink_it_is_unknown() -> None:
    scene = Scene().comes(Endpoint(CLIENT, 50000), "node2", "a")
    assert rows(scene.truth(REPLICAS)) == {("", "node2", lan("node2"), 1)}


def test_of_connections_behind_one_address_those_recognised_have_a_client_and_the_rest_has_none() -> None:
    scene = Scene()
    for number in range(3):
        scene.comes(Endpoint(CLIENT, 50000 + number), "node2", "a", number, requests=2)
    scene.comes(Endpoint("192.168.1.36", 50000), "node2", "a", 5, requests=7, seen=False)
    truth = scene.truth()
    assert rows(truth) == {(CLIENT, "node2", lan("node2"), 3), ("", "node2", lan("node2"), 1)}
    assert {(each.client, each.requests) for each in truth.reached} == {(CLIENT, 6), ("", 7)}


def test_a_process_of_a_node_is_itself_the_client_where_nothing_is_rewritten() -> None:
    scene = Scene(service=replace(SERVICE, type="ClusterIP", ports=(replace(SERVICE.ports[0], node_port=0),)))
    scene.tcp("a", Endpoint(lan("node2"), 40000), Endpoint(scene.ip("a"), 8080))
    assert rows(scene.truth()) == {(lan("node2"), "node2", lan("node2"), 1)}


def test_of_a_pod_that_was_not_captured_nobody_knows_whether_it_asked_the_service() -> None:
    scene = Scene(clients=(SHOPPER,))
    scene.tcp("a", Endpoint(SHOPPER.ips[0], 50000), Endpoint(scene.ip("a"), 8080))
    truth = scene.truth()
    assert [each.proven for each in truth.reached] == [False]
    assert truth.notes[0].startswith("1 connection came from pods of the cluster; whether they asked")


def test_a_pod_that_asks_a_replica_itself_did_not_come_by_the_service() -> None:
    scene = Scene(clients=(SHOPPER,))
    client, server = Endpoint(SHOPPER.ips[0], 50000), Endpoint(scene.ip("a"), 8080)
    scene.tcp("shopper", client, server).tcp("a", client, server)
    scene.passes(("shopper", client, server), ("a", client, server))
    assert scene.truths() == ()


def test_a_pod_that_asks_the_cluster_address_comes_in_at_its_own_node() -> None:
    scene = Scene(clients=(SHOPPER,))
    client, server = Endpoint(SHOPPER.ips[0], 50000), Endpoint(scene.ip("b"), 8080)
    front = Endpoint(CLUSTER_IP, 80)
    scene.tcp("shopper", client, front).tcp("b", client, server)
    scene.passes(("shopper", client, front), ("b", client, server))
    (row,) = scene.truth().reached
    assert (row.client, row.entry, row.front, row.proven) == (SHOPPER.ips[0], "node1", str(front), True)


def test_a_service_whose_replicas_are_not_captured_is_not_told_of() -> None:
    scene = Scene().comes(Endpoint(CLIENT, 50000), "node1", "a")
    assert scene.truths(["uplink node1"]) == ()


def test_of_two_services_with_the_same_pods_the_one_that_lets_clients_in_is_told_of() -> None:
    inner = replace(SERVICE, name="inner", type="ClusterIP", cluster_ips=("10.96.1.21",))
    scene = Scene(others=(replace(inner, ports=(replace(SERVICE.ports[0], node_port=0),)),))
    scene.comes(Endpoint(CLIENT, 50000), "node1", "a", seen=False)
    assert scene.truth().name == "traefik/cheddar"


@given(
    st.lists(
        st.tuples(st.integers(35, 38), st.sampled_from(sorted(NODES)), st.sampled_from("abc"), st.booleans()),
        min_size=1,
        max_size=40,
    ),
    st.booleans(),
)
@settings(max_examples=examples(30), deadline=None)
def test_no_connection_is_lost_or_told_twice_and_who_is_told_is_right(
    came: list[tuple[int, str, str, bool]], is_local: bool
) -> None:
    scene = Scene(service=local() if is_local else SERVICE)
    true: dict[tuple[str, str, str], int] = {}
    for number, (host, node, replica, seen) in enumerate(came):
        # With Local only a node's own endpoints answer.
        entry = scene.where[replica] if is_local else node
        client = f"192.168.1.{host}"
        scene.comes(Endpoint(client, 50000 + number), entry, replica, number, local=is_local, seen=seen)
        key = client, entry, scene.ip(replica)
        true[key] = true.get(key, 0) + 1
    truth = scene.truth()
    assert truth.connections == len(came) == sum(each.connections for each in truth.reached)
    assert sum(each.requests for each in truth.replicas) == len(came)
    assert is_local or all(each.requests == each.connections for each in truth.reached)
    for row in truth.reached:
        assert row.entry in NODES
        if row.client:
            assert row.connections <= true[row.client, row.entry, row.replica]
    hidden = 0 if is_local else sum(not seen for *_, seen in came)
    assert sum(each.connections for each in truth.reached if not each.client) == hidden
    assert ServiceTruth.from_json(truth.to_json()) == truth


def test_a_summary_with_services_is_told_as_its_schema_says() -> None:
    scene = Scene(service=with_affinity(), clients=(SHOPPER,))
    for number, replica in enumerate("abc"):
        scene.comes(Endpoint(CLIENT, 50000 + number), "node1", replica, number, seen=number > 0)
    scene.tcp("uplink node2", Endpoint(CLIENT, 50000), Endpoint(lan("node2"), 32604), answered=False)
    scene.ready = frozenset()
    summary = Summary(Totals(), (), payload=True, visits=scene.sight("a").visits, services=scene.truths())
    assert faults(summary) == []
    assert Summary.from_json(summary.to_json()) == summary
    assert {each.why for each in summary.services[0].turned_away} == {"no-endpoint"}
