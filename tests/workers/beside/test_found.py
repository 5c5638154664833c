from dataclasses import replace

import pytest

from tests.workers.beside.scene import (
    CLIENT,
    CLUSTER,
    FIRST,
    GATEWAY,
    POD,
    SERVER,
    around,
    asked,
    line,
    log,
    policy,
    summary,
    tracked,
)
from workers.beside.beside import Around, Beside
from workers.beside.found import FOUND_BY, found
from workers.cluster.pod import Pod
from workers.names import snapshot
from workers.names.snapshot import EndpointSlice, Service, ServicePort
from workers.names.snapshot import Port as SlicePort
from workers.summary.endpoint import Endpoint
from workers.summary.event import Event
from workers.summary.finding import Finding
from workers.summary.summary import Summary
from workers.surroundings.pod_state import Condition, Container, PodEvent, PodState
from workers.surroundings.sockets import Listener, Sockets
from workers.surroundings.surroundings import Surroundings
from workers.vantage.comparison import Absent, Comparison
from workers.vantage.passage import Passage, Segment, Stop
from workers.vantage.vantage import Vantage

SHOPPER = Endpoint("10.244.2.9", 50000)


def findings(
    seen: Summary | None = None, before: Surroundings | None = None, after: Surroundings | None = None
) -> list[Finding]:
    beside = Beside(0, POD, seen or summary(), before or around(), after or around(10))
    return list(found(Around([beside], cluster=CLUSTER)))


def only(given: list[Finding], name: str) -> Finding:
    (one,) = given
    assert one.id == name
    assert name in FOUND_BY
    return one


def unanswered(source: Endpoint = SHOPPER, target: Endpoint = SERVER, tries: int = 3) -> Event:
    return Event("unanswered", 4, 1.0, 0, "a", source, target, numbers={"tries": tries, "seconds": 3.0})


def test_nothing_around_a_pod_is_no_news() -> None:
    assert findings() == []
    assert list(found(Around([Beside(0, POD, summary(events=(unanswered(),)))], cluster=CLUSTER))) == []


def test_a_policy_that_lets_nobody_in_explains_what_was_not_answered() -> None:
    state = around(10, policies=(policy(ingress=[]),))
    one = only(findings(summary(events=(unanswered(),)), after=state), "policy-selects")
    assert one.sentence == (
        "NetworkPolicy `traefik/web` selects `traefik/cheddar-1`, and no rule lets `shop/shopper` in to port "
        "80: 1 connection was not answered."
    )
    assert (one.severity, one.numbers["direction"]) == ("warning", "ingress")
    assert "ip.addr == 10.244.2.9" in one.display_filter


def test_a_policy_for_egress_explains_what_the_pod_asked_in_vain() -> None:
    closed = around(policies=(policy(policyTypes=["Egress"]),))
    event = unanswered(Endpoint(SERVER.address, 50000), Endpoint("10.244.2.9", 5432))
    one = only(findings(summary(events=(event,)), before=closed), "policy-selects")
    assert "no rule lets it out to `shop/shopper` at port 5432" in one.sentence


def test_a_refusal_is_put_to_who_asked() -> None:
    event = Event("refused", 4, 1.0, 0, "b", SERVER, SHOPPER)
    state = around(10, policies=(policy(ingress=[]),))
    one = only(findings(summary(events=(event,)), after=state), "policy-selects")
    assert one.sentence.endswith("1 connection was refused.")


def test_a_policy_that_may_or_may_not_allow_it_is_said_to() -> None:
    rule = {"from": [{"namespaceSelector": {"matchLabels": {"team": "a"}}}]}
    state = around(10, policies=(policy(ingress=[rule]),))
    one = only(findings(summary(events=(unanswered(),)), after=state), "policy-selects")
    assert one.severity == "info"
    assert "cannot be told" in one.sentence
    known = replace(state, namespace_labels={"shop": {"team": "a"}})
    assert findings(summary(events=(unanswered(),)), after=known) == []


FRONT = Endpoint("10.96.0.7", 8080)
WITH_SERVICE = replace(
    CLUSTER,
    services=(
        Service(
            "traefik", "web", cluster_ips=(FRONT.address,), ports=(ServicePort(FRONT.port, name="http"),)
        ),
    ),
    slices=(
        EndpointSlice(
            "traefik", "web", (snapshot.Endpoint((SERVER.address,)),), (SlicePort(80, name="http"),)
        ),
    ),
)


def lost(*absent: Absent, events: tuple[Event, ...] = (), **state: object) -> list[Finding]:
    beside = Beside(1, POD, summary(events=events), around(), around(10, **state))
    return list(found(Around([beside], Comparison(absent=absent), WITH_SERVICE)))


@pytest.mark.parametrize("server", [SERVER, FRONT], ids=["the pod", "its Service"])
def test_a_policy_explains_what_was_lost_between_taps(server: Endpoint) -> None:
    events = (unanswered(target=server),)
    absent = [Absent("TCP", SHOPPER._replace(port=port), server, (1,), False) for port in (50000, 50001)]
    one = only(lost(*absent, events=events, policies=(policy(ingress=[]),)), "policy-selects")
    assert one.sentence == (
        "NetworkPolicy `traefik/web` selects `traefik/cheddar-1`, and no rule lets `shop/shopper` in to port "
        "80: 2 connections were lost on the way."
    )
    assert f"{server.address}" in one.display_filter
    assert (one.numbers["times"], one.severity) == (2, "warning")


def test_what_something_on_the_way_refused_is_put_to_the_policy_that_does_not_allow_it() -> None:
    refused = Absent("TCP", SHOPPER, SERVER, (1,), True)
    one = only(lost(refused, policies=(policy(ingress=[]),)), "policy-selects")
    assert one.sentence.endswith("1 connection was refused on the way.")


@pytest.mark.parametrize(
    ("absent", "rules"),
    [
        (Absent("TCP", SHOPPER, SERVER, (1,), False), [{"ports": [{"port": 80}]}]),
        (Absent("ICMP", SHOPPER, SERVER, (1,), False), []),
        (Absent("TCP", SHOPPER, FRONT, (2,), False), []),
    ],
    ids=["allowed", "a ping", "of other pods"],
)
def test_a_policy_is_not_blamed_for_what_was_lost(absent: Absent, rules: list[object]) -> None:
    assert lost(absent, policies=(policy(ingress=rules),)) == []


@pytest.mark.parametrize(
    ("event", "rules"),
    [
        (unanswered(), [{"ports": [{"port": 80}]}]),
        (unanswered(tries=1), []),
        (unanswered(source=Endpoint(GATEWAY, 50000)), []),
        (unanswered(target=Endpoint("10.244.2.9", 80), source=Endpoint("1.2.3.4", 5)), []),
        (Event("reset", 4, 1.0, 0, "b", SHOPPER, SERVER), []),
    ],
    ids=["allowed", "too young", "its own node", "of other pods", "a reset"],
)
def test_a_policy_is_not_blamed_for(event: Event, rules: list[object]) -> None:
    if event.numbers.get("tries") == 1:
        event = replace(event, time=9.9)
    state = around(10, policies=(policy(ingress=rules),))
    assert findings(summary(events=(event,)), after=state) == []


def test_a_full_queue_of_accept_is_told_with_its_port() -> None:
    full = Sockets(listeners=(Listener("TCP", "0.0.0.0", 80, 129), Listener("TCP", "0.0.0.0", 81, 0)))
    before = around(counters={"TcpExt.ListenOverflows": 5, "TcpExt.ListenDrops": 5})
    after = around(10, counters={"TcpExt.ListenOverflows": 17, "TcpExt.ListenDrops": 17}, sockets=full)
    one = only(findings(before=before, after=after), "listen-overflow")
    assert one.sentence.startswith(
        "`traefik/cheddar-1` dropped 12 connections at port 80, because its application"
    )
    assert findings(before=after, after=replace(after, at=after.at + 1)) == []


def test_datagrams_that_nobody_read_are_told_with_their_port() -> None:
    sockets = [Sockets(listeners=(Listener("UDP", "::", 53, 0, dropped),)) for dropped in (3, 20)]
    before = around(counters={"Udp.RcvbufErrors": 3}, sockets=sockets[0])
    after = around(10, counters={"Udp.RcvbufErrors": 20}, sockets=sockets[1])
    one = only(findings(before=before, after=after), "receive-buffer")
    assert "dropped 17 datagrams at port 53" in one.sentence


def test_segments_that_the_pod_sent_again_are_told_where_they_are_many() -> None:
    def counted(again: int, sent: int) -> list[Finding]:
        before = around(counters={"Tcp.RetransSegs": 0, "Tcp.OutSegs": 0})
        after = around(10, counters={"Tcp.RetransSegs": again, "Tcp.OutSegs": sent})
        return findings(before=before, after=after)

    one = only(counted(20, 980), "retransmitted-by-pod")
    assert "sent 20 segments again" in one.sentence
    assert "2 % of all" in one.sentence
    assert counted(2, 50) == []
    assert counted(20, 5000) == []


def state(*containers: Container, ready: str = "True", since: int | None = None) -> PodState:
    return PodState("Running", {}, containers, (Condition("Ready", ready, "ContainersNotReady", since),))


def test_a_container_that_was_killed_meanwhile_explains_what_broke_off() -> None:
    before = around(state=state(Container("cheese", 1)))
    ended = Container("cheese", 2, "OOMKilled", 137, FIRST + 3 * 10**9)
    one = only(
        findings(before=before, after=around(10, state=state(ended, ready="False"))), "restarted-meanwhile"
    )
    assert "was started anew 1 time" in one.sentence
    assert "(`OOMKilled`, exit code 137 at 19:20:03.000 UTC)" in one.sentence
    assert "memory limit" in one.next
    unchanged = around(state=state(ended))
    assert findings(before=unchanged, after=replace(unchanged, at=FIRST + 10**10)) == []


def test_a_pod_that_is_not_ready_is_told_with_what_its_probe_says() -> None:
    event = PodEvent(FIRST + 10**9, "Warning", "Unhealthy", "Readiness probe failed: connection refused")
    unready = around(10, state=state(ready="False", since=FIRST + 2 * 10**9), events=(event,))
    one = only(findings(before=around(), after=unready), "not-ready")
    assert "was not ready since 19:20:02.000 UTC" in one.sentence
    assert "connection refused" in one.sentence


def told(*, comparison: Comparison | None = None, tracks: bool = False, agent: str = "curl") -> list[Finding]:
    after = around(10, tracked=(tracked(),) if tracks else ())
    beside = Beside(0, POD, summary(asked(1.0)), around(), after, log(line(1.02, agent=agent)))
    return list(found(Around([beside], comparison, CLUSTER)))


def test_who_a_log_means_is_told_by_what_a_node_tracks() -> None:
    one = only(told(tracks=True), "log-names-a-node")
    assert one.sentence == (
        "The log of `traefik/cheddar-1` names `10.244.1.1` as the client of 1 request: it came from "
        "`192.168.1.35` (shown by `connection tracking of node k8s-node01`)."
    )
    assert one.numbers["origins"] == "192.168.1.35"


def test_who_a_log_means_is_told_by_the_same_packets_at_another_tap() -> None:
    vantages = (
        Vantage(0, "traefik/cheddar-1", "pod", "k8s-node01", (SERVER.address,)),
        Vantage(1, "uplink of k8s-node02", "uplink", "k8s-node02", ()),
    )
    stops = (
        Stop(1, CLIENT, Endpoint("192.168.1.12", 32604), 1, FIRST, 3, 3),
        Stop(0, Endpoint(GATEWAY, 40001), SERVER, 2, FIRST, 3, 3),
    )
    comparison = Comparison(vantages, passages=(Passage("TCP", stops, (Segment(True, True),)),))
    one = only(told(comparison=comparison, tracks=True), "log-names-a-node")
    assert "the same packets at uplink of k8s-node02" in one.sentence


def test_a_client_that_nothing_shows_is_said_to_be_unknown() -> None:
    one = only(told(), "log-names-a-node")
    assert one.sentence.endswith("who the client was is unknown.")
    assert "uplinks" in one.next


def test_the_kubelets_probes_hide_nobody() -> None:
    assert told(agent="kube-probe/1.36") == []


def test_a_log_that_names_the_client_itself_is_no_news() -> None:
    beside = Beside(
        0,
        POD,
        summary(asked(1.0, client=CLIENT.address)),
        around(),
        around(10),
        log(line(1.02, CLIENT.address)),
    )
    assert list(found(Around([beside], cluster=CLUSTER))) == []


OTHER = Pod("shop", "shopper", "u2", "Running", node="k8s-node02", ips=("10.244.2.9",))


def test_what_one_node_tracks_tells_who_came_to_a_pod_on_another() -> None:
    seen = "192.168.1.12"
    beside = Beside(0, POD, summary(asked(1.0, client=seen)), around(), around(10), log(line(1.02, seen)))
    entry = Beside(1, OTHER, summary(), around(), around(10, tracked=(tracked(seen=seen),)))
    one = only(list(found(Around([beside, entry], cluster=CLUSTER))), "log-names-a-node")
    assert "it came from `192.168.1.35` (shown by `connection tracking of node k8s-node02`)" in one.sentence


def test_a_servers_policy_explains_what_a_client_saw_at_its_own_tap() -> None:
    server = Beside(0, POD, summary(), around(), around(10, policies=(policy(ingress=[]),)))
    client = Beside(1, OTHER, summary(events=(unanswered(),)), around(), around(10))
    one = only(list(found(Around([server, client], cluster=CLUSTER))), "policy-selects")
    assert "no rule lets `shop/shopper` in to port 80" in one.sentence
