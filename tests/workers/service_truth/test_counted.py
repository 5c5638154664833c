"""What a file's flows say of who came to which doors."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.workers.service_truth.recorded import sights
from tests.workers.service_truth.scene import BEGIN, CLUSTER_IP, NODE_PORT, Scene, bridge, lan
from workers.service_truth import counted
from workers.service_truth.doors import Doors
from workers.service_truth.visits import Visits
from workers.summary.endpoint import Endpoint
from workers.summary.summary import Summary, Totals

CLIENT = "192.168.1.35"


def visits(scene: Scene, tap: str) -> tuple[Visits, ...]:
    return scene.sight(tap).visits


def test_what_comes_to_no_door_of_a_service_is_left_out() -> None:
    scene = Scene()
    scene.tcp("a", Endpoint(CLIENT, 50000), Endpoint(scene.ip("a"), 9100))
    scene.tcp("a", Endpoint(scene.ip("a"), 50000), Endpoint("93.184.216.34", 443))
    assert visits(scene, "a") == ()


def test_a_node_port_is_a_door_at_every_node_and_at_no_other_address() -> None:
    doors = Doors(Scene().snapshot)
    for node in ("node1", "node2", "node3"):
        assert doors.front("TCP", Endpoint(lan(node), NODE_PORT)) == ("traefik", "cheddar", 80, "TCP")
    assert doors.front("TCP", Endpoint(CLUSTER_IP, 80)) == ("traefik", "cheddar", 80, "TCP")
    assert doors.front("TCP", Endpoint("192.168.1.9", NODE_PORT)) is None
    assert doors.front("UDP", Endpoint(lan("node1"), NODE_PORT)) is None
    assert doors.front("TCP", Endpoint(CLUSTER_IP, NODE_PORT)) is None


def test_a_headless_service_has_no_doors() -> None:
    scene = Scene()
    scene.service = replace(
        scene.service, cluster_ips=(), ports=(replace(scene.service.ports[0], node_port=0),)
    )
    scene.tcp("a", Endpoint(CLIENT, 50000), Endpoint(scene.ip("a"), 8080))
    assert visits(scene, "a") == ()


def test_connections_without_an_answer_are_counted_apart() -> None:
    scene = Scene()
    for port in range(50000, 50003):
        scene.tcp("a", Endpoint(CLIENT, port), Endpoint(scene.ip("a"), 8080), answered=port == 50000)
    (met,) = visits(scene, "a")
    assert (met.connections, met.unanswered, met.requests) == (1, 2, 1)


def test_the_kubelets_probes_and_wordless_health_checks_are_no_connections() -> None:
    scene = Scene()
    server = Endpoint(scene.ip("a"), 8080)
    scene.tcp("a", Endpoint(bridge("node1"), 40001), server, said=0, requests=0)
    scene.tcp("a", Endpoint("192.168.1.1", 40002), server, said=0, requests=0)
    assert [(each.connections, each.probes) for each in visits(scene, "a")] == [(0, 1), (0, 1)]


def test_the_door_tells_client_from_server_where_nobody_saw_the_connection_open() -> None:
    scene = Scene()
    # By their ports alone the client would be the server.
    scene.tcp("a", Endpoint(scene.ip("a"), 8080), Endpoint(CLIENT, 1234), opened=False, at=2.0)
    (met,) = visits(scene, "a")
    assert (met.client, met.server.port, met.connections, met.opened, met.first) == (CLIENT, 8080, 1, 0, 0)


def test_single_connections_are_kept_only_of_addresses_that_may_be_rewritten() -> None:
    scene = Scene()
    scene.comes(Endpoint(CLIENT, 50000), "node2", "a", 1.5)
    scene.comes(Endpoint(CLIENT, 50001), "node1", "a", 2.0, local=True)
    met = {each.client: each for each in visits(scene, "a")}
    assert [each.start for each in met[lan("node2")].visits] == [BEGIN + 1_500_000_000]
    assert met[CLIENT].visits == ()


@given(
    st.lists(
        st.tuples(st.integers(1, 60), st.integers(0, 3), st.sampled_from("abc"), st.booleans()), max_size=60
    )
)
@settings(max_examples=examples(30), deadline=None)
def test_every_connection_to_a_door_is_counted_once_and_survives_json(
    came: list[tuple[int, int, str, bool]],
) -> None:
    scene = Scene()
    for number, (client, requests, replica, answered) in enumerate(came):
        source = Endpoint(f"192.168.7.{client}", 2000 + number)
        server = Endpoint(scene.ip(replica), 8080)
        scene.tcp("a", source, server, number / 10, requests=requests, answered=answered)
    flows = tuple(scene.flows.get("a", ()))
    most, counted.MOST = counted.MOST, 7
    try:
        met = counted.count_visits(Summary(Totals(first=BEGIN), flows, payload=True), scene.snapshot)
    finally:
        counted.MOST = most
    assert sum(each.connections for each in met) == sum(answered for *_, answered in came)
    assert sum(each.unanswered for each in met) == sum(not answered for *_, answered in came)
    assert sum(each.requests for each in met) == sum(flow.requests for flow in flows)
    assert len(met) <= 7 + 3
    assert tuple(Visits.from_json(each.to_json()) for each in met) == met


def test_a_digest_keeps_the_visits_of_all_flows() -> None:
    # `sights` reads a digest of the recorded captures back from its JSON.
    assert sum(each.connections for each in sights("Local")[0].visits) == 5
