"""What is told of a packet's fields."""

import pytest

from workers.dissection.fields import expert_told, told
from workers.summary.decoded import LONGEST


@pytest.mark.parametrize(
    ("name", "value", "line", "shown"),
    [
        ("tcp.flags", "0x0014", "Flags: 0x014 (RST, ACK)", "Flags: 0x014 (RST, ACK)"),
        ("tcp.seq", "1", "Sequence Number: 1    (relative sequence number)", "Sequence Number: 1"),
        ("ip.flags.df", "1", ".1.. .... = Don't fragment: Set", "Don't fragment: Set"),
        ("ip.flags.df", "0", ".0.. .... = Don't fragment: Not set", None),
        ("pgsql.code", "28P01", "Code: 28P01", "Code: 28P01"),
        ("pgsql.code", "hunter2", "Code: hunter2", None),
        ("http.request.method", "GET", "Request Method: GET", "Request Method: GET"),
        ("http.authorization", "Basic eDp5", "Authorization: Basic eDp5", None),
        ("http.request.uri", "/?token=x", "Request URI: /?token=x", None),
        ("tcp.payload", "70:77", "TCP payload (2 bytes)", None),
        ("", "x", "x", None),
    ],
)
def test_only_fields_without_words_of_others_are_told(
    name: str, value: str, line: str, shown: str | None
) -> None:
    assert told(name, value, line) == shown


def test_what_is_told_is_cut() -> None:
    assert len(told("dns.qry.name", "x" * 5000, "Name: " + "x" * 5000) or "") == LONGEST


def test_expert_information_that_quotes_packets_or_comes_of_the_selection_is_not_told() -> None:
    assert expert_told("tcp", "Connection reset (RST)") == "Connection reset (RST)"
    assert expert_told("http", "GET /?token=x HTTP/1.1\\r\\n") is None
    assert expert_told("tcp", "Previous segment(s) not captured (common at capture start)") is None
