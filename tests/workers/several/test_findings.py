"""Findings of several taps, told as those of one capture."""

from workers.several.findings import frames_of, joined
from workers.summary.decoded import Decoded
from workers.summary.finding import Finding


def test_what_wireshark_says_of_a_taps_packets_is_of_their_frames_in_the_merged_file() -> None:
    packets = (Decoded(3, "TCP"), Decoded(4, "TCP", {}, ("Connection reset (RST)",)), Decoded(5, "TCP"))
    finding = Finding("reset", "warning", "It was reset.", {}, "frame.number >= 4", 4, packets=packets)
    assert frames_of([finding]) == {3, 4, 5}
    (told,) = joined(["a", "b"], [[], [finding]], {(1, 3): 7, (1, 4): 9})
    assert (told.frame, [packet.frame for packet in told.packets]) == (9, [7, 9])
    assert [packet.line for packet in told.telling] == ["TCP: Connection reset (RST)"]
