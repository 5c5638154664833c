from tests.workers.summary import packets
from tests.workers.summary.told import summary_of


def test_an_error_that_quotes_too_little_to_say_about_what_is_told_all_the_same() -> None:
    error = packets.ipv4("10.0.0.2", "10.0.0.1", 1, bytes((3, 3, 0, 0)) + bytes(4))
    (finding,) = summary_of(packets.pcap([packets.Record(packets.ethernet(error))])).findings
    assert finding.id == "icmp-error"
    assert finding.sentence == "`10.0.0.2` reported *port unreachable* 1 time."
