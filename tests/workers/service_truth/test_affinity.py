"""Whether a client stayed at one replica, against a kube-proxy on each node that remembers, or forgets."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.workers.service_truth.scene import (
    CLUSTER_IP,
    NODES,
    REPLICAS,
    Scene,
    lan,
    local,
    with_affinity,
)
from workers.names.snapshot import Pod
from workers.service_truth.told import doubted
from workers.service_truth.truth import Bound
from workers.summary.endpoint import Endpoint

CLIENT = "192.168.1.35"
SHOPPER = Pod("traefik", "shopper", "node1", ("10.244.1.99",))


def scene(seconds: int = 10_800) -> Scene:
    return Scene(service=with_affinity(seconds=seconds))


def bound(told: Scene, **more: Scene) -> Bound:
    later = more["later"].snapshot if "later" in more else None
    (found,) = told.truth(later=later).affinity
    return found


def comes(told: Scene, *came: tuple[str, str, float], client: str = CLIENT) -> Scene:
    for number, (entry, replica, at) in enumerate(came):
        told.comes(Endpoint(client, 50000 + number), entry, replica, at)
    return told


def test_a_client_that_stays_is_kept() -> None:
    met = bound(comes(scene(), ("node1", "b", 1), ("node1", "b", 2)))
    assert (met.kept, met.replicas, met.connections) == ("kept", ("10.244.2.8",), 2)


def test_a_client_that_lands_elsewhere_within_the_timeout_breaks_it() -> None:
    met = bound(comes(scene(), ("node1", "b", 1), ("node1", "c", 3.5)))
    assert (met.kept, met.seconds) == ("broken", 2.5)


def test_without_affinity_nothing_is_said() -> None:
    assert comes(Scene(), ("node1", "b", 1), ("node1", "c", 2)).truth().affinity == ()


def test_by_two_nodes_a_client_may_reach_two_replicas() -> None:
    met = comes(scene(), ("node1", "b", 1), ("node2", "c", 2), ("node1", "b", 3)).truth().affinity
    assert {(each.entry, each.kept) for each in met} == {("node1", "kept"), ("node2", "untested")}


def test_by_two_ports_of_a_service_a_client_may_reach_two_replicas() -> None:
    told = scene()
    second = replace(told.service.ports[0], number=443, name="https", node_port=32605)
    told.service = replace(told.service, ports=(*told.service.ports, second))
    told.comes(Endpoint(CLIENT, 50000), "node1", "a", 1).comes(
        Endpoint(CLIENT, 50001), "node1", "b", 2, port=32605
    )
    assert {each.kept for truth in told.truths() for each in truth.affinity} == {"untested"}


@pytest.mark.parametrize(("later", "kept"), [(3.0, "broken"), (6.5, "kept")])
def test_behind_the_timeout_a_client_may_land_elsewhere(later: float, kept: str) -> None:
    assert bound(comes(scene(5), ("node1", "b", 1), ("node1", "c", later))).kept == kept


def test_what_may_have_expired_between_unknown_connections_is_not_judged() -> None:
    # Of each replica the first and the last connection are known, all of them longer apart than the timeout.
    met = bound(comes(scene(2), ("node1", "b", 0), ("node1", "c", 3), ("node1", "b", 6), ("node1", "c", 9)))
    assert met.kept == "unknown"


def test_two_connections_at_once_may_both_be_a_clients_first() -> None:
    assert bound(comes(scene(), ("node1", "b", 1), ("node1", "c", 1.000_5))).kept == "unknown"


def test_endpoints_that_came_or_went_excuse_it() -> None:
    told = comes(scene(), ("node1", "b", 1), ("node1", "c", 2))
    assert bound(told, later=replace(told)).kept == "broken"
    assert bound(told, later=replace(told, where={"a": "node1", "c": "node3"})).kept == "excused"
    assert bound(told, later=replace(told, ready=frozenset("ac"))).kept == "excused"


def test_endpoints_are_asked_for_again_only_where_an_affinity_seems_broken() -> None:
    told = comes(scene(), ("node1", "b", 1), ("node1", "b", 2))
    assert doubted(told.truths()) == ()
    told.comes(Endpoint(CLIENT, 50009), "node1", "c", 3)
    assert doubted(told.truths()) == ("traefik",)


def test_a_replica_that_was_not_ready_excuses_it() -> None:
    assert bound(
        comes(replace(scene(), ready=frozenset("ac")), ("node1", "b", 1), ("node1", "c", 2))
    ).kept == ("excused")


def test_where_one_endpoint_is_all_there_is_nothing_is_tested() -> None:
    told = replace(scene(), where={"b": "node2"})
    assert bound(comes(told, ("node1", "b", 1), ("node1", "b", 2))).kept == "untested"


def test_with_local_the_choice_is_among_the_nodes_own_endpoints() -> None:
    told = Scene(service=with_affinity(local()), where={"a": "node1", "b": "node1", "c": "node3"})
    for number, replica in enumerate("aacc"):
        entry = told.where[replica]
        told.comes(Endpoint(CLIENT, 50000 + number), entry, replica, number, local=True, seen=False)
    assert {(each.entry, each.kept) for each in told.truth().affinity} == {
        ("node1", "kept"),
        ("node3", "untested"),
    }


def test_with_local_a_breach_shows_at_the_replicas_alone() -> None:
    told = Scene(service=with_affinity(local()), where={"a": "node1", "b": "node1"})
    for number, replica in enumerate("ab"):
        told.comes(Endpoint(CLIENT, 50000 + number), "node1", replica, number, local=True, seen=False)
    assert bound(told).kept == "broken"


def test_clients_that_nobody_saw_are_not_judged() -> None:
    told = scene()
    for number, replica in enumerate("abc"):
        told.comes(Endpoint(CLIENT, 50000 + number), "node1", replica, number, seen=False)
    assert {each.kept for each in told.truth().affinity} == {"unknown"}


def test_a_pod_that_may_have_asked_replicas_themselves_is_not_judged() -> None:
    told = replace(scene(), clients=(SHOPPER,))
    for number, replica in enumerate("ab"):
        told.tcp(replica, Endpoint(SHOPPER.ips[0], 50000), Endpoint(told.ip(replica), 8080), number)
    assert {each.kept for each in told.truth().affinity} == {"unknown"}


def test_a_pod_seen_to_ask_the_service_is_judged() -> None:
    told = replace(scene(), clients=(SHOPPER,))
    for number, replica in enumerate("ab"):
        client, back = Endpoint(SHOPPER.ips[0], 50000 + number), Endpoint(told.ip(replica), 8080)
        front = Endpoint(CLUSTER_IP, 80)
        told.tcp("shopper", client, front, number).tcp(replica, client, back, number)
        told.passes(("shopper", client, front), (replica, client, back), at=number)
    assert bound(told).kept == "broken"


def test_a_pod_that_asks_a_load_balancer_may_come_in_at_any_node() -> None:
    balanced = replace(with_affinity(), type="LoadBalancer", load_balancer_ips=("203.0.113.9",))
    told = Scene(service=balanced, clients=(SHOPPER,))
    for number, replica in enumerate("ab"):
        client, back = Endpoint(SHOPPER.ips[0], 50000 + number), Endpoint(told.ip(replica), 8080)
        front = Endpoint("203.0.113.9", 80)
        told.tcp("shopper", client, front, number).tcp(replica, client, back, number)
        told.passes(("shopper", client, front), (replica, client, back), at=number)
    assert bound(told).kept == "unknown"


def test_connections_that_were_open_before_say_nothing_of_where_new_ones_go() -> None:
    told = scene()
    told.comes(Endpoint(CLIENT, 50000), "node1", "b", 1)
    server, front = Endpoint(told.ip("c"), 8080), Endpoint(lan("node1"), 32604)
    client, source = Endpoint(CLIENT, 50001), Endpoint(lan("node1"), 2222)
    told.tcp("uplink node1", client, front, 2, opened=False).tcp("c", source, server, 2, opened=False)
    told.passes(("uplink node1", client, front), ("c", source, server), at=2)
    assert bound(told).kept == "untested"


Came = list[tuple[float, int, str, int]]
CAME = st.lists(
    st.tuples(
        st.floats(0, 60).map(lambda at: round(at, 2)),
        st.integers(35, 37),
        st.sampled_from(sorted(NODES)),
        st.integers(0, 11),
    ),
    min_size=2,
    max_size=30,
    unique_by=lambda came: came[0],
)


def played(came: Came, seconds: int, *, remembers: bool) -> Scene:
    """What kube-proxies with or without a memory make of clients that come at these times."""
    told = scene(seconds)
    memory: dict[tuple[str, str], tuple[str, float]] = {}
    for number, (at, host, entry, die) in enumerate(sorted(came)):
        client = f"192.168.1.{host}"
        replica = sorted(REPLICAS)[die % 3]
        known, since = memory.get((client, entry), ("", -1.0))
        if remembers and known and at - since < seconds:
            replica = known
        memory[client, entry] = replica, at
        told.comes(Endpoint(client, 40000 + number), entry, replica, at)
    return told


@given(CAME, st.integers(1, 90))
@settings(max_examples=examples(40), deadline=None)
def test_a_kube_proxy_that_remembers_is_never_blamed(came: Came, seconds: int) -> None:
    found = played(came, seconds, remembers=True).truth().affinity
    assert "broken" not in {each.kept for each in found}
    assert all(each.kept != "unknown" for each in found if len(each.replicas) == 1)


@given(CAME)
@settings(max_examples=examples(40), deadline=None)
def test_one_that_never_remembers_is_blamed_wherever_a_client_landed_elsewhere(came: Came) -> None:
    found = played(came, 10_800, remembers=False).truth().affinity
    for each in found:
        if len(each.replicas) > 1:
            assert each.kept == "broken" or each.connections == 2
        else:
            assert each.kept in ("kept", "untested")
