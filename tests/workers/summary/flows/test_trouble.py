"""What goes wrong in connections, as events."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.summary import packets
from tests.workers.summary.packets import ACK, FIN, PSH, RST, SYN, Record
from workers.summary.event import Event
from workers.summary.files.pcapfile import PcapFile
from workers.summary.flows.counted import Counted
from workers.summary.flows.counting import Counting

CLIENT, SERVER = "10.244.2.1", "10.244.2.2"
START = 1_700_000_000_000_000_000
DATA = bytes(100)


def counted(*steps: tuple[float, bytes]) -> Counted:
    """Of frames, each with its time in seconds."""
    records = [Record(frame, START + round(time * 1e9)) for time, frame in steps]
    file, counting = PcapFile(io.BytesIO(packets.pcap(records))), Counting()
    counting.file(file)
    return counting.result()


def events(*steps: tuple[float, bytes]) -> list[tuple[str, int, str | None]]:
    """Kind, frame and side."""
    return [(event.kind, event.frame, event.side) for event in counted(*steps).events]


def only(*steps: tuple[float, bytes]) -> Event:
    (event,) = counted(*steps).events
    return event


def sent(
    flags: int, sequence: int, payload: bytes = b"", *, back: bool = False, window: int = 64240
) -> bytes:
    source, target = (SERVER, CLIENT) if back else (CLIENT, SERVER)
    ports = (80, 40000) if back else (40000, 80)
    segment = packets.tcp(*ports, payload, flags=flags, sequence=sequence)
    segment = segment[:14] + window.to_bytes(2, "big") + segment[16:]
    return packets.ethernet(packets.ipv4(source, target, 6, segment))


OPENED = (
    (0.0, sent(SYN, 100)),
    (0.001, sent(SYN | ACK, 900, back=True)),
    (0.002, sent(ACK, 101)),
)


def test_a_reset_in_place_of_an_answer_to_a_syn_is_a_refusal() -> None:
    event = only((0, sent(SYN, 100)), (0.25, sent(RST | ACK, 0, back=True)))
    assert (event.kind, event.frame, event.side, event.flow) == ("refused", 2, "b", 0)
    assert (str(event.source), str(event.target)) == (f"{SERVER}:80", f"{CLIENT}:40000")
    assert event.numbers == {"after": 0.25}


def test_a_reset_of_a_connection_that_was_open_is_none_and_only_the_first_counts() -> None:
    assert events(*OPENED, (1, sent(RST, 901, back=True)), (2, sent(RST, 901, back=True))) == [
        ("reset", 4, "b")
    ]


def test_a_connection_that_both_sides_close_is_no_trouble() -> None:
    closing = ((1, sent(FIN | ACK, 101)), (1.1, sent(FIN | ACK, 901, back=True)), (1.2, sent(ACK, 102)))
    assert events(*OPENED, *closing) == []


def test_syns_without_an_answer_are_one_event_with_their_number() -> None:
    told = {each.kind: each for each in counted((0, sent(SYN, 100)), (5, sent(SYN, 100))).events}
    assert told.keys() == {"unanswered", "retransmission"}
    assert told["unanswered"].frame == 1
    assert told["unanswered"].numbers == {"tries": 2, "seconds": 5.0}


def test_windows_of_nothing_within_a_second_are_one_event() -> None:
    full = sent(ACK, 901, back=True, window=0)
    told = counted(*OPENED, (1, full), (1.5, full), (5, sent(PSH | ACK, 101, DATA)), (9, full))
    assert [(each.kind, each.frame, each.numbers["segments"]) for each in told.events] == [
        ("zero-window", 4, 2),
        ("zero-window", 7, 1),
    ]
    assert told.flows[0].zero_windows_ba == 3


def test_windows_of_nothing_are_one_event_as_long_as_nothing_new_is_sent() -> None:
    full = sent(ACK, 901, back=True, window=0)
    probe = sent(ACK, 101, b"x")
    event = only(*OPENED, (1, full), (3, probe), (3.1, full), (7, probe), (7.1, full))
    assert event.numbers == {"segments": 3.0, "seconds": pytest.approx(6.1)}


def test_a_connection_that_goes_on_without_the_other_direction_was_answered_somewhere() -> None:
    assert events(*OPENED[::2], (1, sent(PSH | ACK, 101, DATA))) == []


def test_what_brings_missing_bytes_before_their_sender_can_know_is_out_of_order() -> None:
    ahead, behind = sent(PSH | ACK, 201, DATA), sent(PSH | ACK, 101, DATA)
    flow = counted(*OPENED, (1, ahead), (1.0019, behind)).flows[0]
    assert (flow.handshake, flow.out_of_order_ab, flow.retransmitted_ab) == (0.002, 1, 0)
    flow = counted(*OPENED, (1, ahead), (1.0021, behind)).flows[0]
    assert (flow.out_of_order_ab, flow.retransmitted_ab) == (0, 1)


def test_in_a_busy_stream_what_is_missing_since_long_is_sent_again() -> None:
    stream = [(1 + place / 1000, sent(ACK, 101 + 100 * place, DATA)) for place in range(2, 12)]
    flow = counted(*OPENED, *stream, (1.012, sent(ACK, 201, DATA))).flows[0]
    assert (flow.out_of_order_ab, flow.retransmitted_ab) == (0, 1)


def test_what_was_captured_before_is_sent_again_however_soon() -> None:
    stream = [(1.0, sent(ACK, 101, DATA)), (1.0001, sent(ACK, 201, DATA)), (1.0002, sent(ACK, 101, DATA))]
    flow = counted(*OPENED, *stream).flows[0]
    assert (flow.out_of_order_ab, flow.retransmitted_ab) == (0, 1)


@given(st.permutations(range(8)), st.integers(0, 2**32 - 1), st.lists(st.integers(0, 7), max_size=4))
def test_each_byte_is_new_or_missing_once_in_whatever_order_segments_come(
    order: list[int], begin: int, again: list[int]
) -> None:
    """The model: a set of bytes. Whatever brings one that was missing within the patience is out of order."""
    steps = [(0.0, sent(ACK, begin, DATA))]
    had, highest, late, repeated = {0}, 0, 0, 0
    for place in [each + 1 for each in (*order, *again)]:
        steps.append((len(steps) / 1e6, sent(ACK, (begin + place * 100) % 2**32, DATA)))
        late += place < highest and place not in had
        repeated += place in had
        had.add(place)
        highest = max(highest, place)
    flow = counted(*steps).flows[0]
    assert (flow.out_of_order_ab, flow.retransmitted_ab) == (late, repeated)


def test_a_window_of_nothing_in_a_reset_says_nothing() -> None:
    assert events(*OPENED, (1, sent(RST, 901, back=True, window=0))) == [("reset", 4, "b")]


def test_what_comes_late_by_a_moment_is_out_of_order_and_what_comes_late_is_sent_again() -> None:
    ahead, behind = sent(PSH | ACK, 201, DATA), sent(PSH | ACK, 101, DATA)
    reordered = counted(*OPENED, (1, ahead), (1.001, behind))
    assert (reordered.events, reordered.flows[0].out_of_order_ab) == ((), 1)
    again = counted(*OPENED, (1, ahead), (1.5, behind))
    assert [(each.kind, each.frame) for each in again.events] == [("retransmission", 5)]
    assert (again.flows[0].retransmitted_ab, again.flows[0].out_of_order_ab) == (1, 0)


def test_segments_sent_again_within_a_second_are_one_event() -> None:
    segment = sent(PSH | ACK, 101, DATA)
    event = only(*OPENED, *((second, segment) for second in (1, 1.4, 1.8, 2.2)))
    assert (event.kind, event.frame, event.numbers["segments"]) == ("retransmission", 5, 3)
