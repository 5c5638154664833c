import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.spool.report import complaint, read_report

DIGEST = "0f" * 32
LISTENING = "tcpdump: listening on veth9, link-type EN10MB (Ethernet), snapshot length 262144 bytes\n"
COUNTS = "131 packets captured\n137 packets received by filter\n0 packets dropped by kernel\n"


def output(code: int, *marks: str, words: str = LISTENING + COUNTS) -> str:
    return f"code {code}\nsize 14343\nsha256 {DIGEST}  -\n" + "".join(f"{m}\n" for m in marks) + words


def test_tcpdumps_own_last_words_are_the_counts() -> None:
    report = read_report(output(124), packet_limit=1000)
    assert (report.packets_captured, report.packets_received_by_filter) == (131, 137)
    assert (report.packets_dropped_by_kernel, report.bytes, report.sha256) == (0, 14343, DIGEST)


def test_one_packet_is_counted_in_the_singular() -> None:
    words = "1 packet captured\n1 packet received by filter\n0 packets dropped by kernel\n"
    assert read_report(output(124, words=words), packet_limit=9).packets_captured == 1


@pytest.mark.parametrize(
    ("code", "marks", "limit", "ended_by"),
    [
        (124, (), 1000, "duration"),
        (0, (), 1000, "duration"),  # busybox's timeout says nothing of its own
        (0, ("stopped",), 1000, "stopped"),
        (124, ("stopped",), 1000, "duration"),  # the time was over before the stop arrived
        (0, ("full",), 1000, "bytes"),
        (0, ("full", "stopped"), 1000, "bytes"),
        (0, (), 131, "packets"),
        (1, (), 1000, "error"),
        (137, (), 1000, "error"),
    ],
)
def test_what_ended_it_is_told_apart(code: int, marks: tuple[str, ...], limit: int, ended_by: str) -> None:
    assert read_report(output(code, *marks), packet_limit=limit).ended_by == ended_by


def test_a_write_beyond_the_hard_limit_is_an_end_by_bytes() -> None:
    words = LISTENING + "tcpdump: Unable to write output: File too large\n"
    assert read_report(output(1, words=words), packet_limit=9).ended_by == "bytes"


def test_an_interface_that_disappears_is_said_in_tcpdumps_words() -> None:
    words = LISTENING + COUNTS + "tcpdump: pcap_loop: The interface disappeared\n"
    report = read_report(output(1, words=words), packet_limit=1000)
    assert (report.ended_by, report.error) == ("error", "pcap_loop: The interface disappeared")


def test_a_tcpdump_that_was_killed_has_no_counts() -> None:
    report = read_report(output(137, words=LISTENING), packet_limit=1000)
    assert (report.packets_captured, report.error) == (None, "tcpdump ended without a word")


@pytest.mark.parametrize("code", [0, 124])
def test_a_spool_that_could_not_be_written_is_an_error_whatever_tcpdump_says(code: int) -> None:
    report = read_report(
        output(code, "unwritten cat: write error: No space left on device"), packet_limit=1000
    )
    assert (report.ended_by, report.error) == ("error", "No space left on device")
    assert report.packets_dropped_by_kernel == 0


def test_a_spool_at_its_hard_limit_ended_by_bytes() -> None:
    marks = ("full", "unwritten cat: write error: File too large")
    assert read_report(output(0, *marks), packet_limit=1000).ended_by == "bytes"


def test_a_spool_whose_writer_was_killed_is_an_error() -> None:
    assert read_report(output(0, "unwritten "), packet_limit=1000).ended_by == "error"


def test_a_disk_that_is_full_is_an_error_that_says_so() -> None:
    words = LISTENING + "tcpdump: Unable to write output: No space left on device\n" + COUNTS
    assert read_report(output(1, words=words), packet_limit=9).error.endswith("No space left on device")


@given(st.text(max_size=200))
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        read_report(text, packet_limit=1)


def test_a_report_cut_anywhere_in_its_head_is_refused() -> None:
    whole = output(0)
    head = whole.index("tcpdump")
    for length in range(head - len(DIGEST) - 4):
        with pytest.raises(ValueError, match="cannot be read"):
            read_report(whole[:length], packet_limit=1)


def test_the_complaint_is_the_last_line_that_says_something() -> None:
    assert complaint("tcpdump: can't parse filter expression: syntax error\n") == (
        "can't parse filter expression: syntax error"
    )
    words = "tcpdump: eth0: You don't have permission\n(socket: Operation not permitted)\n"
    assert complaint(words) == "eth0: You don't have permission (socket: Operation not permitted)"
    assert complaint("") == "tcpdump ended without a word"
