import gzip
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.hangs import HANGS
from tests.workers.summary import oracle, packets
from tests.workers.summary.packets import Record
from tests.workers.summary.watched import Waiting
from workers.summary.exchange import HttpExchange
from workers.summary.summarise import SummaryError, summarise
from workers.summary.summary import Summary

pytestmark = pytest.mark.usefixtures("nothing_is_left")


def test_a_recorded_capture_is_summarised_as_tshark_counts_it(recorded: Path) -> None:
    summary = summarise(recorded, payload=True)
    assert oracle.counted(summary.flows) == oracle.conversations(recorded)
    assert summary.notes == ()
    assert {type(each) for each in summary.exchanges} == {HttpExchange}
    assert Summary.from_json(summary.to_json()) == summary


def test_of_headers_only_nothing_is_decoded(spoken: Path) -> None:
    summary = summarise(spoken, payload=False)
    assert (summary.payload, summary.exchanges, len(summary.flows)) == (False, (), 1)


def test_a_damaged_file_is_summarised_as_far_as_it_goes(spoken: Path) -> None:
    spoken.write_bytes(spoken.read_bytes()[:-3])
    summary = summarise(spoken, payload=True)
    assert summary.totals.packets == 4
    assert summary.notes == ("The file ends in the middle of a packet: that one is left out.",)
    (told,) = summary.exchanges
    assert isinstance(told, HttpExchange)
    assert told.status is None


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
@pytest.mark.parametrize("snaplen", [60, 96, 262_144])
def test_that_packets_are_cut_short_is_said(
    tmp_path: Path, packed: Callable[[bytes], bytes], snaplen: int
) -> None:
    datagram = packets.ipv4("10.0.0.1", "10.0.0.2", 17, packets.udp(4000, 4001, bytes(55)))  # 97 bytes in all
    record = Record(packets.ethernet(datagram), snaplen=snaplen)
    path = tmp_path / "file"
    path.write_bytes(packed(packets.pcap([record] * 3)))
    summary = summarise(path, payload=True)
    assert [note.partition(":")[0] for note in summary.notes] == (
        ["Packets in this file are cut short"] if snaplen < 97 else []
    )


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty: fetch it again, or capture again."),
        (
            b"no pcap at all, but long enough",
            (
                "The file is neither pcap nor pcapng: what else Wireshark opens is converted by "
                "`editcap -F pcapng FILE OUT`."
            ),
        ),
    ],
)
def test_what_is_no_capture_is_refused_with_one_sentence(tmp_path: Path, data: bytes, sentence: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(SummaryError) as refused:
        summarise(path, payload=True)
    assert str(refused.value) == sentence


def test_an_unknown_link_type_is_counted_and_said(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(packets.pcap([Record(b"radio")], link_type=127))
    summary = summarise(path, payload=False)
    assert summary.totals.other == 1
    assert "link type 127" in summary.notes[0]


def test_flows_in_what_podcap_does_not_open_are_counted_by_tshark_and_that_is_said(labelled: Path) -> None:
    summary = summarise(labelled, payload=True)
    assert oracle.counted(summary.flows) == oracle.conversations(labelled)
    (flow,) = summary.flows
    assert (flow.packets_ab, flow.bytes_ab, flow.first_frame) == (2, 72 + 76, 1)
    assert summary.counted_by == "tshark"
    assert "MPLS" in summary.notes[0]


@pytest.mark.parametrize("script", ["kill -SEGV $$", "while :; do :; done"])
def test_podcaps_own_flows_are_told_whatever_becomes_of_tshark(
    labelled: Path, stand_in: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setenv("PATH", f"{stand_in(script)}:{os.environ['PATH']}")
    summary = summarise(labelled, payload=True, seconds=8)
    assert [flow.packets for flow in summary.flows] == [1]
    assert "took too long" in summary.notes[0]


def test_without_tshark_podcaps_own_flows_are_told_and_the_lack_is_said(
    labelled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(os, "defpath", "/nowhere")
    summary = summarise(labelled, payload=True)
    assert [flow.packets for flow in summary.flows] == [1]
    assert "is not installed" in summary.notes[0]


def _flood() -> bytes:
    """More flows than 112 MiB hold: a datagram of each of 80,000 addresses."""
    datagram = packets.ipv4("10.0.0.0", "192.168.0.1", 17, packets.udp(1, 2))
    record = packets.pcap([Record(packets.ethernet(datagram))])
    head, source = record[:24], 24 + 16 + 26
    return head + b"".join(
        record[24:source] + number.to_bytes(4, "big") + record[source + 4 :] for number in range(80_000)
    )


@pytest.mark.parametrize(
    "kibibytes",
    [
        *range(108 << 10, 116 << 10, 1111),
        *(pytest.param(each, marks=pytest.mark.soak) for each in range(100 << 10, 124 << 10, 257)),
    ],
)
def test_more_flows_than_memory_holds_are_told_as_far_as_it_goes(tmp_path: Path, kibibytes: int) -> None:
    """Wherever it runs out: one way in fifteen ended the process that reads by a signal."""
    path = tmp_path / "flood.pcap"
    path.write_bytes(_flood())
    summary = summarise(path, payload=False, memory=kibibytes << 10, digest=True)
    assert 20_000 < summary.flow_count == summary.totals.packets < 80_000
    why, _, rest = summary.notes[0].partition(", ")
    assert why in {"Reading the whole file needs too much memory", "Reading the whole file failed"}
    assert rest.startswith(f"so this is about its first {summary.flow_count:,} packets only (")


def test_what_can_be_read_once_only_and_needs_more_memory_is_refused_with_one_sentence(
    tmp_path: Path,
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        with suppress(BrokenPipeError):
            pipe.write_bytes(_flood())

    writer = threading.Thread(target=write)
    writer.start()
    with pytest.raises(SummaryError) as refused:
        summarise(pipe, payload=False, memory=112 << 20)
    writer.join(HANGS)
    assert str(refused.value).partition(": ")[2] in {
        "it needs more than 117 MB of memory.",
        "the process that reads the packets was ended by signal 11.",
    }


def test_a_child_that_does_not_end_is_ended(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pipe.open("r+b", buffering=0), pytest.raises(SummaryError) as ended:
        summarise(pipe, payload=False, seconds=1)
    assert str(ended.value) == (
        "The capture could not be summarised: reading the packets took longer than 1 s."
    )


def test_where_reading_the_whole_file_fails_a_part_is_told(
    labelled: Path, stand_in: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """tshark is asked about whole files only; here it ends the child that asks."""
    monkeypatch.setenv("PATH", f"{stand_in('kill -SEGV $PPID; exec sleep 60')}:{os.environ['PATH']}")
    whole = labelled.read_bytes()
    labelled.write_bytes(whole[:24] + whole[24:] * (3_000_000 // len(whole[24:])))
    (note, *_) = summarise(labelled, payload=False, digest=True).notes
    assert note.startswith("Reading the whole file failed, so this is about its first ")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_child_that_dies_is_told_of(tmp_path: Path, number: signal.Signals) -> None:
    waiting = Waiting(tmp_path / "pipe")
    os.kill(waiting.child, number)
    waiting.join()
    assert str(waiting.error) == (
        "The capture could not be summarised: the process that reads the packets was ended by signal "
        f"{number}."
    )


def test_a_hundred_broken_files_never_break_the_summary(tmp_path: Path) -> None:
    """Mutations of real captures, in few children: files after one another make one file."""
    path = tmp_path / "mutated.pcap"
    data = bytearray(packets.pcap([]))
    for number, recorded in enumerate(
        sorted((Path(__file__).parents[2] / "evidence").glob("nodeport-*/*.pcap"))
    ):
        body = bytearray(recorded.read_bytes()[24:])
        for at in range(16 + number, len(body), 97):
            if at % 100 > 40:  # most of the record headers stay, so that there is something to read
                body[at] ^= 1 << number
        data += body
    path.write_bytes(data)
    summary = summarise(path, payload=True, seconds=HANGS)
    assert summary.totals.packets > 0
