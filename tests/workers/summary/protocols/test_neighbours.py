import socket
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from workers.summary.endpoint import Endpoint
from workers.summary.event import Event
from workers.summary.protocols.lone import LonePackets
from workers.summary.protocols.neighbours import Neighbours
from workers.summary.protocols.reader import Lone

A, B, C = "10.244.2.1", "10.244.2.2", "10.244.2.3"
MAC_A, MAC_B, MAC_C = (bytes((2, 0, 0, 0, 0, last)) for last in (10, 11, 12))
A6, B6 = "fe80::a", "fe80::b"
EVERYBODY6 = "ff02::1"
NONE = bytes(6)

Packet = tuple[float, Lone]


def arp(time: float, operation: int, mac: bytes, sender: str, target: str, to: bytes = NONE) -> Lone:
    body = (
        bytes((0, 1, 8, 0, 6, 4, 0, operation))
        + mac
        + socket.inet_aton(sender)
        + to
        + socket.inet_aton(target)
    )
    return Lone("arp", "", "", body, time, int(time * 10) + 1)


def ask(time: float, mac: bytes = MAC_A, sender: str = A, target: str = B) -> Lone:
    return arp(time, 1, mac, sender, target)


def reply(time: float, mac: bytes = MAC_B, sender: str = B, target: str = A, to: bytes = MAC_A) -> Lone:
    return arp(time, 2, mac, sender, target, to)


def packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6, address)


def solicit(time: float, source: str = A6, target: str = B6, option: bytes = b"\1\1" + MAC_A) -> Lone:
    return Lone(
        "icmpv6",
        source,
        "ff02::1:ff00:b",
        b"\x87" + bytes(7) + packed(target) + option,
        time,
        int(time * 10) + 1,
    )


def advertise(time: float, mac: bytes = MAC_B, source: str = B6, to: str = A6, flags: int = 0x60) -> Lone:
    body = b"\x88\0\0\0" + bytes((flags, 0, 0, 0)) + packed(source) + b"\2\1" + mac
    return Lone("icmpv6", source, to, body, time, int(time * 10) + 1)


def events(*read: Lone) -> list[Event]:
    neighbours = Neighbours()
    found = [event for packet in read for event in neighbours.read(packet)]
    return [*found, *neighbours.end()]


def told(found: Iterable[Event]) -> list[tuple[str, str, str]]:
    return [(event.kind, event.text, event.by) for event in found]


def test_three_requests_without_a_reply_are_unanswered() -> None:
    assert events(ask(0), ask(1), ask(2)) == [
        Event("arp-unanswered", 1, 0, source=Endpoint(A, 0), text=B, numbers={"tries": 3, "seconds": 2})
    ]


def test_one_request_without_a_reply_shows_nothing_where_replies_are_not_seen() -> None:
    assert events(ask(0), ask(60), ask(120)) == []


def test_one_request_without_a_reply_is_unanswered_where_replies_are_seen() -> None:
    found = events(ask(0, target=C), reply(0.1, MAC_C, C), ask(1), ask(9, target=C), reply(9.1, MAC_C, C))
    assert told(found) == [("arp-unanswered", B, "")]


def test_a_request_just_before_the_end_may_still_be_answered() -> None:
    assert events(ask(0, target=C), reply(0.1, MAC_C, C), ask(1)) == []


def test_a_late_reply_is_an_answer() -> None:
    assert events(ask(0), ask(1), ask(2), reply(2.5)) == []
    assert events(ask(0), ask(1), ask(2), ask(2.5, MAC_B, B, C)) == []


def test_probes_that_nobody_answers_are_as_they_should_be() -> None:
    assert events(*(arp(time, 1, MAC_A, "0.0.0.0", A) for time in (0, 1, 2)), arp(4, 1, MAC_A, A, A)) == []


def test_two_replies_to_one_request_are_a_conflict() -> None:
    found = events(ask(0), reply(0.1), reply(0.2, MAC_C))
    assert told(found) == [("arp-conflict", B, "02:00:00:00:00:0b 02:00:00:00:00:0c")]


def test_an_answered_probe_is_a_conflict() -> None:
    found = events(arp(0, 1, MAC_C, "0.0.0.0", B), reply(0.1, target="0.0.0.0", to=MAC_C))
    assert told(found) == [("arp-conflict", B, "02:00:00:00:00:0b 02:00:00:00:00:0c")]


def test_two_probes_for_one_address_are_a_conflict() -> None:
    found = events(arp(0, 1, MAC_C, "0.0.0.0", B), arp(0.5, 1, MAC_A, "0.0.0.0", B))
    assert [event.kind for event in found] == ["arp-conflict"]


def test_an_address_announced_by_another_machine_has_moved() -> None:
    found = events(arp(0, 1, MAC_B, B, B), arp(30, 1, MAC_C, B, B))
    assert told(found) == [("neighbour-moved", B, "02:00:00:00:00:0b 02:00:00:00:00:0c")]


def test_an_address_that_goes_to_and_fro_is_contested() -> None:
    announced = [arp(time, 1, mac, B, B) for time, mac in ((0, MAC_B), (5, MAC_C), (9, MAC_B))]
    assert [event.kind for event in events(*announced)] == ["neighbour-moved", "arp-conflict"]


def test_an_address_that_goes_back_after_minutes_has_moved_twice() -> None:
    announced = [arp(time, 1, mac, B, B) for time, mac in ((0, MAC_B), (5, MAC_C), (300, MAC_B))]
    assert [event.kind for event in events(*announced)] == ["neighbour-moved", "neighbour-moved"]


def test_one_machine_may_have_many_addresses() -> None:
    assert events(ask(0), reply(0.1, MAC_B, B), ask(1, target=C), reply(1.1, MAC_B, C)) == []


def test_solicitations_without_an_advertisement_are_unanswered() -> None:
    assert events(solicit(0), solicit(1), solicit(2)) == [
        Event(
            "neighbour-unanswered", 1, 0, source=Endpoint(A6, 0), text=B6, numbers={"tries": 3, "seconds": 2}
        )
    ]
    assert events(solicit(0), solicit(1), solicit(2), advertise(2.1)) == []


def test_an_advertisement_against_the_detection_of_duplicates_is_a_conflict() -> None:
    detection = solicit(0, "::", B6, b"")
    assert told(events(detection, advertise(0.1, to=EVERYBODY6, flags=0x20))) == [
        ("neighbour-conflict", B6, "02:00:00:00:00:0b")
    ]
    assert events(detection, advertise(1.5, to=EVERYBODY6, flags=0x20)) == []


def test_two_detections_of_duplicates_at_once_are_a_conflict_unless_one_came_back() -> None:
    first, second = (solicit(time, "::", B6, b"\x0e\1" + bytes(5) + bytes((time,))) for time in (0, 1))
    assert [event.kind for event in events(first, second)] == ["neighbour-conflict"]
    assert events(first, first) == []
    assert events(solicit(0, "::", B6, b""), solicit(0.5, "::", B6, b"")) == []


def test_an_address_of_ipv6_can_move() -> None:
    found = events(advertise(0), advertise(30, MAC_C))
    assert told(found) == [("neighbour-moved", B6, "02:00:00:00:00:0b 02:00:00:00:00:0c")]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["arp", "icmp", "icmpv6"]),
            st.sampled_from(["", "::", A, A6]),
            st.sampled_from(
                [b"", ask(0).payload[:8], solicit(0).payload[:4], advertise(0).payload[:6], b"\3\4"]
            ),
            st.binary(max_size=60),
        )
    )
)
@settings(max_examples=150, deadline=None)
def test_any_bytes_never_raise(given_packets: list[tuple[str, str, bytes, bytes]]) -> None:
    reader = LonePackets()
    for number, (kind, source, head, rest) in enumerate(given_packets):
        list(reader.read(Lone(kind, source, "", head + rest, number / 7, number)))  # type: ignore[arg-type]
    list(reader.end())


def test_however_many_addresses_there_are_so_many_are_followed() -> None:
    neighbours = Neighbours()
    for number in range(5000):
        address = socket.inet_ntoa(number.to_bytes(4, "big"))
        list(neighbours.read(arp(number, 1, MAC_A, A, address)))
        list(neighbours.read(arp(number, 2, MAC_A, address, A, MAC_B)))
        list(neighbours.read(arp(number, 1, MAC_A, "0.0.0.0", address)))
    family = neighbours._v4
    kept = [
        family.probes,
        family.replies,
        family.claims._owners,
        family.questions._open,
        family.questions._heard,
    ]
    assert all(len(each) <= 1024 for each in kept)
