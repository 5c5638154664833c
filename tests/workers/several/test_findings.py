"""Findings of several taps, told as those of one capture."""

from workers.several.findings import frames_of, joined, noted
from workers.summary.decoded import Decoded
from workers.summary.finding import Finding


def test_what_wireshark_says_of_a_taps_packets_is_of_their_frames_in_the_merged_file() -> None:
    packets = (Decoded(3, "TCP"), Decoded(4, "TCP", {}, ("Connection reset (RST)",)), Decoded(5, "TCP"))
    finding = Finding("reset", "warning", "It was reset.", {}, "frame.number >= 4", 4, packets=packets)
    assert frames_of([finding]) == {3, 4, 5}
    (told,) = joined(["a", "b"], [[], [finding]], {(1, 3): 7, (1, 4): 9})
    assert (told.frame, [packet.frame for packet in told.packets]) == (9, [7, 9])
    assert [packet.line for packet in told.telling] == ["TCP: Connection reset (RST)"]


def healthy(packets: int) -> Finding:
    numbers = {"flows": 1, "packets": packets}
    return Finding(
        "healthy", "info", f"This capture looks healthy: {packets}.", numbers, next="Look elsewhere."
    )


def test_a_healthy_capture_is_called_so_once_however_many_taps_it_has() -> None:
    (told,) = joined(["a", "b", "c"], [[healthy(7)], [healthy(2)], []], {})
    assert told.sentence == (
        "This capture looks healthy at 2 taps: nothing is amiss in their 9 packets, nor between them; 1 "
        "other "
        "had nothing to judge by."
    )
    (told,) = joined(["a", "b"], [[healthy(7)], [healthy(2)]], {})
    assert told.sentence.startswith("This capture looks healthy at all taps:")
    (told,) = joined(["a", "b"], [[healthy(7)], []], {})
    assert told.sentence == "At a: This capture looks healthy: 7."


def test_what_is_grave_between_taps_leaves_none_healthy() -> None:
    lost = Finding("lost-between", "critical", "It was lost.")
    assert joined(["a", "b"], [[healthy(7)], [healthy(2)]], {}, [lost]) == (lost,)


def test_what_is_said_of_an_interface_that_it_does_not_name_is_said_of_each() -> None:
    nothing = Finding("nothing-captured", "info", "No packet was captured.")
    (told,) = joined(["a", "b"], [[nothing], [nothing]], {})
    assert told.sentence == "At each tap: No packet was captured."
    (told,) = joined(["a"], [[nothing]], {})
    assert told.sentence == "No packet was captured."


def test_a_note_of_some_taps_says_of_which() -> None:
    assert noted(["a", "b"], [["It is cut.", "It is old."], ["It is old."]]) == (
        "At a: It is cut.",
        "It is old.",
    )
    assert noted(["a"], [["It is cut."]]) == ("It is cut.",)
