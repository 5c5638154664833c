"""What the comparison of vantage points says of connections whose way is known, and what it must not say."""

import io
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.workers.summary import packets
from tests.workers.summary.packets import ACK, PSH, RST, SYN, Record
from tests.workers.vantage.world import (
    MS,
    NOW,
    ONE,
    PASTA,
    TWO,
    WEB,
    At,
    Sent,
    World,
    handshake,
    numbered,
    only,
    talk,
)
from workers.names.snapshot import Endpoint as Behind
from workers.names.snapshot import EndpointSlice, Port, Service, ServicePort, Snapshot
from workers.pcapng.about import About
from workers.pcapng.merge import merge
from workers.summary.endpoint import Endpoint
from workers.vantage.compare import compare
from workers.vantage.comparison import Absent, Comparison
from workers.vantage.vantage import Vantage

CLIENT, SERVER = "10.244.1.2:40000", "10.244.2.2:80"
DIRECT = [At(WEB, CLIENT, SERVER), At(PASTA, CLIENT, SERVER)]
RECORDED = Path(__file__).parents[2] / "evidence"


def ends(*routes: list[Sent]) -> World:
    """The client's pod and the server's, and what went between them directly."""
    world = World(numbered(WEB, PASTA))
    for number, sent in enumerate(routes):
        client = f"10.244.1.2:{40000 + number}"
        world.pass_by([At(WEB, client, SERVER), At(PASTA, client, SERVER)], sent)
    return world


def ids(comparison: Comparison) -> list[str]:
    return [each.id for each in comparison.findings]


def test_nothing_is_said_of_a_connection_that_went_as_it_should() -> None:
    comparison = ends(talk(requests=20)).compare()
    (passage,) = comparison.passages
    assert ids(comparison) == []
    assert [stop.vantage for stop in passage.stops] == [0, 1]
    (segment,) = passage.segments
    assert (segment.forward.judged, segment.forward.lost) == (44, 0)
    assert (segment.back.judged, segment.back.lost) == (22, 0)
    assert not passage.rewritten
    assert not passage.troubled


def test_a_lost_packet_is_named_by_its_frame_and_its_way() -> None:
    sent = talk(requests=5)
    sent[4] = replace(sent[4], lost=1)
    comparison = ends(sent).compare()
    finding = only(comparison, "lost-between")
    assert finding.sentence == (
        "1 TCP packet of 7 (14 %) left `shop/pasta` and never reached `shop/web`, in 1 connection: it was "
        "lost on the way from node `node2` to node `node1`."
    )
    assert finding.frame == comparison.passages[0].segments[0].back.lost_frame == 9
    assert finding.display_filter == (
        "frame.number >= 9 && (frame.interface_id == 1 || frame.interface_id == 0) && (ip.addr == 10.244.1.2 "
        "&& ip.addr == 10.244.2.2 && tcp.port == 40000 && tcp.port == 80)"
    )


def test_syns_that_never_arrive_are_critical() -> None:
    syns = [Sent(at * 1000 * MS, SYN, sequence=5, identity=at, lost=1) for at in (1, 2, 4)]
    comparison = ends(syns).compare()
    finding = only(comparison, "lost-between")
    assert comparison.absent == (Absent("TCP", Endpoint.parse(CLIENT), Endpoint.parse(SERVER), (1,), False),)
    assert (finding.severity, finding.numbers["times"]) == ("critical", 3)
    assert finding.sentence.startswith(
        "3 SYNs of 1 connection to `10.244.2.2:80` left `shop/web` and never reached `shop/pasta`"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"dropped": 1},
        {"filter": "port 443"},
        {"ended": NOW + 1500 * MS},
        {"began": NOW + 2000 * MS},
        {"addresses": ("10.244.2.9",)},
    ],
)
def test_what_a_tap_could_have_missed_is_not_lost(change: dict[str, object]) -> None:
    pasta = replace(PASTA, **change)  # type: ignore[arg-type]  # one of its fields
    world = World(numbered(WEB, pasta))
    world.pass_by(DIRECT, [Sent(1000 * MS, SYN, sequence=5, lost=1)])
    assert ids(world.compare()) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"dropped": 7}, "the kernel dropped packets there"),
        ({"filter": "tcp[13] != 2"}, "a filter there lets through only a part of them"),
    ],
)
def test_where_losses_cannot_be_told_a_note_says_why(change: dict[str, object], why: str) -> None:
    pasta = replace(PASTA, **change)  # type: ignore[arg-type]  # one of its fields
    world = World(numbered(WEB, pasta))
    sent = talk()
    sent[3] = replace(sent[3], lost=1)
    world.pass_by(DIRECT, sent)
    comparison = world.compare()
    assert ids(comparison) == []
    assert comparison.notes == (
        f"Whether packets were lost on the way to `shop/pasta` cannot be told: {why}.",
    )


def test_what_was_lost_near_the_edge_of_a_capture_is_not_judged() -> None:
    sent = [*talk(time=55 * MS), Sent(59_960 * MS, lost=1, identity=9, sequence=1102)]
    sent[0] = replace(sent[0], time=20 * MS, lost=1)
    comparison = ends(sent).compare()
    assert ids(comparison) == []
    assert comparison.passages[0].segments[0].forward.judged == 5


def test_a_pod_that_answers_although_its_tap_saw_nothing_lost_nothing() -> None:
    world = World(numbered(WEB, PASTA))
    world.pass_by([DIRECT[0]], talk())
    assert ids(world.compare()) == []


@pytest.mark.parametrize("further", [True, False])
def test_answers_that_took_another_way_are_not_lost(further: bool) -> None:
    """Answers pass no uplink that was captured; where the client was not captured, its ACKs tell."""
    world = World(numbered(WEB, PASTA, ONE))
    way = [DIRECT[0], At(ONE, CLIENT, SERVER), DIRECT[1]]
    for each in talk(requests=5):
        world.pass_by([way[0], way[2]] if each.back else way, [each])
    if not further:
        world.records[0].clear()
    comparison = world.compare()
    assert len(comparison.passages[0].stops) == (3 if further else 2)
    assert ids(comparison) == []


def test_answers_that_nobody_acknowledges_are_lost() -> None:
    sent = [Sent(at * 1000 * MS, SYN, sequence=5, identity=at) for at in (1, 2, 3)]
    back = {"back": True, "sequence": 90, "acknowledged": 6, "identity": 0, "lost": 1}
    sent += [replace(each, time=each.time + MS, flags=SYN | ACK, **back) for each in sent]
    finding = only(ends(sent).compare(), "lost-between")
    assert finding.sentence.startswith(
        "3 TCP packets of 3 (100 %) left `shop/pasta` and never reached `shop/web`"
    )


def test_a_tap_that_sees_one_direction_only_lost_nothing() -> None:
    world = World(numbered(WEB, PASTA))
    refused = [Sent(1000 * MS, SYN, sequence=5), Sent(1001 * MS, RST | ACK, back=True, acknowledged=6)]
    world.pass_by([DIRECT[0]], [refused[0]])
    world.pass_by([DIRECT[1]], [replace(refused[1], time=900 * MS, acknowledged=99)])
    assert ids(world.compare()) == []


def test_a_pod_in_its_nodes_network_is_no_end_of_what_the_node_rewrites() -> None:
    agent = replace(WEB, name="shop/agent", addresses=("192.168.1.20",), filter="")
    world = World(numbered(agent, PASTA, ONE))
    route = [
        At(ONE, "192.168.1.35:40000", "192.168.1.20:32604"),
        At(agent, "192.168.1.20:5555", SERVER),
        At(PASTA, "192.168.1.20:5555", SERVER),
    ]
    world.pass_by(route, talk())
    (passage,) = world.compare().passages
    assert [stop.vantage for stop in passage.stops] == [2, 0, 1]


def test_a_segment_that_was_sent_again_is_lost_once() -> None:
    sent = talk(requests=2)
    again = replace(sent[3], time=sent[3].time + 200 * MS, identity=999)
    sent[3] = replace(sent[3], lost=1)
    assert only(ends([*sent, again]).compare(), "lost-between").numbers["times"] == 1


def test_a_segment_that_arrived_and_was_sent_again_is_not_lost() -> None:
    sent = talk(requests=2)
    again = replace(sent[3], time=sent[3].time + 200 * MS, identity=999)
    assert ids(ends([*sent, again]).compare()) == []


def segments(pieces: list[int], begun: int, at: int, identity: int) -> list[Sent]:
    """Segments of so many bytes one after the other, 0.01 ms apart."""
    sent = []
    for number, size in enumerate(pieces):
        time = at + number * MS // 100
        sent.append(Sent(time, PSH | ACK, False, begun, 9001, bytes(size), identity + number))
        begun += size
    return sent


@given(st.lists(st.integers(1, 1400), min_size=2, max_size=12), st.randoms(use_true_random=False))
@settings(max_examples=examples(25), deadline=None)
def test_segments_that_were_merged_or_split_on_the_way_are_not_lost(
    pieces: list[int], chance: random.Random
) -> None:
    cuts = sorted(chance.sample(range(1, sum(pieces)), min(3, sum(pieces) - 1)))
    others = [end - begin for begin, end in zip([0, *cuts], [*cuts, sum(pieces)], strict=True)]
    world = World(numbered(WEB, PASTA))
    begun = 2**32 - 700
    opening = handshake(begun=begun - 1)
    world.pass_by(DIRECT, opening)
    near = segments(pieces, begun, 1005 * MS, 500)
    far = segments(others, begun, 1005 * MS, 500)
    world.pass_by(DIRECT[:1], near)
    world.pass_by(DIRECT[1:], far)
    assert ids(world.compare()) == []


@given(st.data())
@settings(max_examples=examples(25), deadline=None)
def test_every_lost_packet_is_counted_on_its_part_of_the_way_and_nowhere_else(data: st.DataObject) -> None:
    """Whatever is lost after the handshake, over three parts of the way through two rewritings."""
    world = World(numbered(WEB, PASTA, ONE, TWO), clocks={"node2": data.draw(st.integers(-(10**10), 10**10))})
    route = [
        At(WEB, CLIENT, "10.96.0.5:80"),
        At(ONE, "192.168.1.20:5555", SERVER),
        At(TWO, "192.168.1.20:5555", SERVER),
        At(PASTA, "192.168.1.20:5555", SERVER),
    ]
    sent = talk(requests=6)
    numbers = st.lists(st.tuples(st.integers(3, len(sent) - 1), st.integers(1, 3)), max_size=6)
    chosen = dict(data.draw(numbers))
    for number, place in chosen.items():
        sent[number] = replace(sent[number], lost=place)
    world.pass_by(route, sent)
    (passage,) = world.compare().passages
    assert [stop.vantage for stop in passage.stops] == [0, 2, 3, 1]
    expected = [[0, 0] for _ in range(3)]
    for number, place in chosen.items():
        back = sent[number].back
        expected[3 - place if back else place - 1][back] += 1
    assert [[each.forward.lost, each.back.lost] for each in passage.segments] == expected


def test_udp_is_recognised_behind_a_service_by_what_it_carries() -> None:
    world = World(numbered(WEB, PASTA), headers=False)
    route = [At(WEB, "10.244.1.2:5353", "10.96.0.10:53"), At(PASTA, "10.244.1.2:5353", "10.244.2.2:53")]
    question, answer = b"\x12\x34example", b"\x12\x34example is"
    sent = [
        Sent(1000 * MS, payload=question, identity=0),
        Sent(1001 * MS, payload=answer, back=True, identity=0),
    ]
    world.pass_by(route, sent, protocol=17)
    (passage,) = world.compare().passages
    assert (passage.protocol, passage.segments[0].target_rewritten) == ("UDP", True)
    assert passage.segments[0].forward.judged == 1


def test_udp_without_payload_is_recognised_by_its_lengths_and_ids() -> None:
    world = World(numbered(WEB, PASTA))
    route = [At(WEB, "10.244.1.2:5353", "10.96.0.10:53"), At(PASTA, "10.244.1.2:5353", "10.244.2.2:53")]
    world.pass_by(route, [Sent(1000 * MS, payload=b"question", identity=7)], protocol=17)
    assert len(world.compare().passages) == 1


def test_datagrams_that_nothing_tells_apart_are_not_taken_for_one() -> None:
    world = World(numbered(WEB, PASTA))
    world.pass_by(
        [At(WEB, "10.244.1.2:5353", "10.96.0.10:53")], [Sent(1000 * MS, payload=b"x", identity=0)], 17
    )
    world.pass_by(
        [At(PASTA, "10.244.1.2:5353", "10.244.2.2:53")], [Sent(1000 * MS, payload=b"y", identity=0)], 17
    )
    comparison = world.compare()
    assert comparison.passages == ()
    assert ids(comparison) == []


def test_pings_are_followed_and_those_that_are_lost_found() -> None:
    world = World(numbered(WEB, PASTA))
    route = [At(WEB, "10.244.1.2:9", "10.244.2.2:9"), At(PASTA, "10.244.1.2:9", "10.244.2.2:9")]
    sent = [Sent((1000 + each) * MS, sequence=each, identity=each, payload=bytes(56)) for each in range(1, 9)]
    sent += [replace(each, time=each.time + MS, back=True) for each in sent]
    sent[2] = replace(sent[2], lost=1)
    del sent[10]
    world.pass_by(route, sent, protocol=1)
    finding = only(world.compare(), "lost-between")
    assert finding.sentence.startswith(
        "1 ICMP packet of 8 (12 %) left `shop/web` and never reached `shop/pasta`"
    )
    assert "icmp.ident == 9" in finding.display_filter


def test_a_tunnel_between_nodes_is_looked_into() -> None:
    world = World(numbered(WEB, PASTA, ONE, TWO))
    inside = [At(each, CLIENT, SERVER, tunnelled=True) for each in (ONE, TWO)]
    world.pass_by([DIRECT[0], *inside, DIRECT[1]], talk())
    (passage,) = world.compare().passages
    assert [(stop.vantage, stop.tunnelled) for stop in passage.stops] == [
        (0, False),
        (2, True),
        (3, True),
        (1, False),
    ]


def test_a_node_port_is_seen_twice_at_the_uplink_that_rewrites() -> None:
    world = World(numbered(PASTA, ONE))
    pasta = replace(PASTA, addresses=("10.244.2.2",))
    route = [
        At(ONE, "192.168.1.35:40000", "192.168.1.20:32604"),
        At(ONE, "192.168.1.20:5555", SERVER),
        At(pasta, "192.168.1.20:5555", SERVER),
    ]
    world.pass_by(route, talk())
    comparison = world.compare()
    (passage,) = comparison.passages
    assert str(passage.origin.client) == "192.168.1.35:40000"
    finding = only(comparison, "rewritten-between")
    assert finding.sentence == (
        "Client `192.168.1.35` appears at `shop/pasta` as `192.168.1.20`: node `node1` rewrites the source "
        "and the destination, `192.168.1.20:32604` becomes `10.244.2.2:80`, in 1 connection."
    )
    assert finding.severity == "info"


def test_a_reset_that_the_server_never_sent_was_made_between() -> None:
    sent = talk(requests=3)[:-3]
    sent.append(Sent(1100 * MS, RST | ACK, back=True, sequence=12001, acknowledged=1301, identity=0, made=1))
    finding = only(ends(sent).compare(), "reset-between")
    assert finding.sentence == (
        "`shop/web` got resets of 1 connection to `10.244.2.2:80` that `shop/pasta` never sent: something on "
        "the way from node `node2` to node `node1` made it."
    )


def test_a_reset_of_the_server_itself_was_not_made_between() -> None:
    sent = talk(requests=3)[:-3]
    sent.append(Sent(1100 * MS, RST | ACK, back=True, sequence=12001, acknowledged=1301, identity=0))
    assert ids(ends(sent).compare()) == []


def test_a_syn_that_something_between_refuses_never_arrived() -> None:
    sent = [
        Sent(1000 * MS, SYN, sequence=5, lost=1),
        Sent(1001 * MS, RST | ACK, back=True, acknowledged=6, made=1, identity=0),
    ]
    comparison = ends(sent, talk(time=5000 * MS)).compare()
    finding = only(comparison, "reset-between")
    assert ids(comparison) == ["reset-between"]
    assert finding.severity == "critical"
    assert finding.sentence == (
        "1 connection from `shop/web` to `10.244.2.2:80`, which never reached `shop/pasta`, was answered "
        "with a reset: something on the way from node `node2` to node `node1` made it."
    )


def test_a_syn_that_is_refused_although_a_pods_tap_saw_nothing_at_all_says_nothing() -> None:
    world = World(numbered(WEB, PASTA))
    refusal = Sent(1001 * MS, RST | ACK, back=True, acknowledged=6, identity=0)
    world.pass_by([DIRECT[0]], [Sent(1000 * MS, SYN, sequence=5), refusal])
    assert ids(world.compare()) == []


def test_segments_that_are_split_behind_a_queue_show_how_long_they_wait() -> None:
    world = World(numbered(WEB, ONE))
    world.pass_by([DIRECT[0], At(ONE, CLIENT, SERVER)], handshake())
    for number in range(8):
        at, begun = (1100 + 100 * number) * MS, 1001 + 2000 * number
        world.pass_by(DIRECT[:1], segments([2000], begun, at, 500 + 2 * number))
        world.pass_by(
            [At(ONE, CLIENT, SERVER)], segments([1000, 1000], begun, at + 40 * MS, 500 + 2 * number)
        )
    finding = only(world.compare(), "delayed-between")
    assert finding.numbers["median"] == pytest.approx(0.04, rel=0.01)


@pytest.mark.parametrize(("took", "slow"), [(9 * MS, False), (30 * MS, True)])
def test_delay_on_one_node_is_told_for_each_direction(took: int, slow: bool) -> None:
    world = World(numbered(WEB, ONE))
    world.pass_by([DIRECT[0], At(ONE, CLIENT, SERVER, took)], talk(requests=9))
    found = [each for each in world.compare().findings if each.id == "delayed-between"]
    assert len(found) == (2 if slow else 0)
    assert all("on node `node1`" in each.sentence and each.numbers["median"] == 0.03 for each in found)


def test_delay_between_two_clocks_is_told_there_and_back() -> None:
    world = World(numbered(WEB, PASTA), clocks={"node2": 5000 * MS})
    world.pass_by([DIRECT[0], replace(DIRECT[1], took=20 * MS)], talk(requests=9))
    comparison = world.compare()
    finding = only(comparison, "delayed-between")
    assert finding.sentence.startswith("Packets take 40 ms from `shop/web` to `shop/pasta` and back")
    (offset,) = comparison.offsets
    assert (offset.low, offset.high) == (4980 * MS, 5020 * MS)
    assert only(comparison, "clocks-apart").sentence.startswith(
        "The clock of node `node2` is 5 s ahead of that of node `node1` (give or take 20 ms, by 33 packets"
    )


@given(st.integers(-(10**11), 10**11), st.integers(10_000, 100 * MS), st.integers(10_000, 100 * MS))
@settings(max_examples=examples(20), deadline=None)
def test_the_true_offset_of_two_clocks_is_always_within_its_bounds(ahead: int, there: int, back: int) -> None:
    world = World(numbered(WEB, PASTA), clocks={"node2": ahead})
    for each in talk(requests=3):
        world.pass_by([DIRECT[0], replace(DIRECT[1], took=back if each.back else there)], [each])
    (offset,) = world.compare().offsets
    assert offset.low is not None
    assert offset.high is not None
    assert offset.low <= ahead <= offset.high
    assert offset.high - offset.low == there + back


@pytest.mark.parametrize("identities", [(0, 0, 0, 0, 0), (5, 6, 7, 5, 8)], ids=["all", "some"])
def test_scanners_that_begin_every_connection_alike_are_not_one_client(identities: tuple[int, ...]) -> None:
    world = World(numbered(WEB, PASTA))
    for port, identity in enumerate(identities):
        route = [replace(each, server=f"10.244.2.2:{80 + port}") for each in DIRECT]
        world.pass_by(route, [Sent(1000 * MS + port, SYN, sequence=77, identity=identity)])
    comparison = world.compare()
    assert len(comparison.passages) == 5
    assert ids(comparison) == []


def test_a_connection_that_began_before_the_capture_is_recognised_through_nat() -> None:
    world = World(numbered(WEB, PASTA))
    route = [At(WEB, CLIENT, "10.96.0.5:80"), At(PASTA, "192.168.1.20:5555", SERVER)]
    world.pass_by(route, talk(requests=9)[7:])
    (passage,) = world.compare().passages
    assert (str(passage.origin.server), str(passage.destination.client)) == (
        "10.96.0.5:80",
        "192.168.1.20:5555",
    )


def test_ports_that_are_used_again_are_another_connection() -> None:
    again = talk(time=5000 * MS, begun=777_000, answered=888_000)
    comparison = ends([*talk(), *again]).compare()
    assert len(comparison.passages) == 2
    assert ids(comparison) == []


def test_a_filter_that_only_the_file_knows_counts() -> None:
    """As for a worker that has nothing but the stored file."""
    world = World(numbered(WEB, replace(PASTA, filter="port 443")))
    world.pass_by(DIRECT, [Sent(1000 * MS, SYN, sequence=5, lost=1)])
    comparison = compare(numbered(WEB, PASTA), world.file(), Snapshot())
    assert ids(comparison) == []
    assert [each.filter for each in comparison.vantages] == ["", "port 443"]


def test_findings_are_not_cut_before_those_of_the_taps_are_among_them() -> None:
    world = World(numbered(WEB, PASTA))
    for port in range(9):
        route = [replace(each, server=f"10.244.2.2:{80 + port}") for each in DIRECT]
        world.pass_by(route, [Sent(1000 * MS, SYN, sequence=5 + port, lost=1)])
    assert ids(world.compare()) == ["lost-between"] * 9


SERVICE = Snapshot(
    services=(Service("shop", "pasta", cluster_ips=("10.96.0.5",), ports=(ServicePort(80, target="8080"),)),),
    slices=(EndpointSlice("shop", "pasta", (Behind(("10.244.2.2",)),), (Port(8080),)),),
)


def test_what_left_for_a_service_and_came_to_none_of_its_pods_is_lost() -> None:
    world = World(numbered(WEB, PASTA))
    syns = [Sent(at * 1000 * MS, SYN, sequence=5, identity=at) for at in (1, 2)]
    world.pass_by([At(WEB, CLIENT, "10.96.0.5:80")], syns)
    finding = only(world.compare(SERVICE), "lost-between")
    assert "2 SYNs of 1 connection to `svc shop/pasta:80` left `shop/web`" in finding.sentence


def test_nothing_is_lost_when_another_pod_of_the_service_was_not_captured() -> None:
    world = World(numbered(WEB, PASTA))
    world.pass_by([At(WEB, CLIENT, "10.96.0.5:80")], [Sent(1000 * MS, SYN, sequence=5)])
    more = replace(SERVICE.slices[0], endpoints=(*SERVICE.slices[0].endpoints, Behind(("10.244.3.3",))))
    assert ids(world.compare(replace(SERVICE, slices=(more,)))) == []


def test_the_part_of_the_way_is_known_from_other_connections_that_pass() -> None:
    world = World(numbered(WEB, PASTA, ONE, TWO))
    way = [DIRECT[0], At(ONE, CLIENT, SERVER), At(TWO, CLIENT, SERVER), DIRECT[1]]
    world.pass_by(way, talk())
    blocked = [replace(each, client="10.244.1.2:40001") for each in way]
    world.pass_by(blocked, [Sent(at * 1000 * MS, SYN, sequence=99, identity=at, lost=2) for at in (3, 4)])
    finding = only(world.compare(), "lost-between")
    assert "left `uplink of node1` and never reached `uplink of node2`" in finding.sentence
    assert finding.next.startswith("Look at the network between the two nodes")


def test_a_part_of_the_way_whose_filter_keeps_it_out_is_not_named() -> None:
    node_ports = replace(ONE, filter="tcp port 32604")
    world = World(numbered(WEB, PASTA, node_ports))
    through = [DIRECT[0], At(node_ports, "192.168.1.20:5555", "192.168.1.20:32604"), DIRECT[1]]
    world.pass_by(through, talk())
    blocked = [replace(each, client="10.244.1.2:40001") for each in DIRECT]
    world.pass_by(blocked, [Sent(3000 * MS, SYN, sequence=99, lost=1)])
    finding = only(world.compare(), "lost-between")
    assert "left `shop/web` and never reached `shop/pasta`" in finding.sentence


@pytest.mark.parametrize("policy", ["Cluster", "Local"])
def test_replicas_that_share_no_connection_are_not_compared(policy: str) -> None:
    paths = sorted((RECORDED / f"nodeport-{policy}").glob("*.pcap"))
    vantages = [Vantage(number, path.stem, "pod", f"node{number}", ()) for number, path in enumerate(paths)]
    target = io.BytesIO()
    merge([io.BytesIO(path.read_bytes()) for path in paths], target, About("", ""), [About("", "")] * 3)
    target.seek(0)
    comparison = compare(vantages, target, Snapshot())
    assert (comparison.passages, comparison.findings, comparison.offsets) == ((), (), ())


@pytest.mark.parametrize("policy", ["Cluster", "Local"])
def test_a_recorded_pod_and_the_same_packets_before_a_node_port_are_one(policy: str) -> None:
    """The recorded veth, and what it would have looked like before the node rewrote both addresses."""
    path = min((RECORDED / f"nodeport-{policy}").glob("*.pcap"))
    recorded = path.read_bytes()
    before = bytearray(recorded)
    for at in frames(recorded):
        if recorded[at + 12 : at + 14] != b"\x08\x00" or recorded[at + 23] != 6:
            continue
        for field in (26, 30):
            old = recorded[at + field : at + field + 4]
            if old[:2] == b"\x0a\xf4" and old[3] != 1:
                before[at + field : at + field + 4] = bytes([10, 10, 0, 12])
            else:
                before[at + field : at + field + 4] = bytes([192, 168, 1, 35])
    vantages = (
        replace(ONE, number=0, ended=None, began=0),
        replace(PASTA, number=1, node="node1", ended=None, began=0),
    )
    target = io.BytesIO()
    merge([io.BytesIO(bytes(before)), io.BytesIO(recorded)], target, About("", ""), [About("", "")] * 2)
    target.seek(0)
    comparison = compare(vantages, target, Snapshot())
    assert comparison.passages
    assert all(passage.rewritten and not passage.troubled for passage in comparison.passages)
    assert {each.id for each in comparison.findings} == {"rewritten-between"}


def frames(pcap: bytes) -> list[int]:
    found, at = [], 24
    while at < len(pcap):
        found.append(at + 16)
        at += 16 + int.from_bytes(pcap[at + 8 : at + 12], "little")
    return found


@given(st.binary(max_size=80), st.integers(0, 60))
@settings(max_examples=examples(30), deadline=None)
def test_whatever_packets_hold_they_are_compared(noise: bytes, at: int) -> None:
    world = ends(talk())
    for records in world.records.values():
        frame = records[3].frame
        records.append(Record(frame[:at] + noise + frame[at + len(noise) :], NOW + 1500 * MS, 120))
        records.append(Record(packets.ethernet(noise or b"\0", 0x0800), NOW + 1501 * MS))
    assert world.compare().passages


def test_packets_that_are_too_many_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.vantage.sightings.MOST_PACKETS", 5)
    (note,) = ends(talk()).compare().notes
    assert note.startswith("13 packets were too many to be compared between the vantage points")


def test_of_too_many_connections_those_with_the_most_packets_are_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A flood of SYNs, each refused by a reset, around one connection that talks and loses a packet."""
    monkeypatch.setattr("workers.vantage.compare.MOST_PASSAGES", 3)
    world = World(numbered(WEB, PASTA))
    for number in range(40):
        route = [replace(each, client=f"10.244.1.2:{2000 + number}") for each in DIRECT]
        at, begun = (1000 + number) * MS, 70_000 * (number + 1)
        reset = Sent(at + MS // 10, RST | ACK, back=True, acknowledged=begun + 1, identity=0)
        world.pass_by(route, [Sent(at, SYN, sequence=begun, identity=number + 1), reset])
    talked = talk(requests=3)
    talked[5] = replace(talked[5], lost=1)
    world.pass_by(DIRECT, talked)
    comparison = world.compare()
    assert (len(comparison.passages), comparison.passage_count) == (3, 41)
    assert [passage.troubled for passage in comparison.passages].count(True) == 1
    (note,) = comparison.notes
    assert note == (
        "Of 41 connections that passed several vantage points the 3 with the most packets were compared; "
        "what is said does not count the others."
    )


def test_of_packets_that_are_too_many_none_is_called_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = [
        each for number in range(40) for each in talk(time=(1000 + 100 * number) * MS, begun=number << 20)
    ]
    for most in (200, 201, 203):
        monkeypatch.setattr("workers.vantage.sightings.MOST_PACKETS", most)
        assert ids(ends(sent).compare()) == []
    monkeypatch.undo()
    for most in (20, 21):
        monkeypatch.setattr("workers.vantage.sightings.MOST_SIGHTINGS", most)
        world = World(numbered(WEB, PASTA))
        for number in range(40):
            route = [replace(each, client=f"10.244.1.2:{2000 + number}") for each in DIRECT]
            world.pass_by(
                route, [Sent((1000 + number) * MS, SYN, sequence=number << 20, identity=number + 1)]
            )
        assert ids(world.compare()) == []


def test_when_time_is_over_what_was_read_until_then_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.vantage.sightings._LOOKS", 100)
    sent = [
        each for number in range(40) for each in talk(time=(1000 + 100 * number) * MS, begun=number << 20)
    ]
    world = ends(sent)
    comparison = compare(world.vantages, world.file(), Snapshot(), over=lambda: True)
    assert (len(comparison.passages), ids(comparison)) == (6, [])
    (note,) = comparison.notes
    assert note.startswith(
        "Comparing the vantage points takes too long: what is said of them holds for what was captured "
    )
