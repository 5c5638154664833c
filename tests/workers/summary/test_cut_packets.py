"""Packets that were cut short when they were captured (`tcpdump -s`): what is missing is not made up."""

import io
import ssl
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workers.summary import packets, spoken
from tests.workers.summary.findings.cases import SHOWN
from tests.workers.summary.packets import Record
from tests.workers.summary.speech import Dialogue, tls
from tests.workers.summary.told import everything, summary_of
from workers.summary.exchange import UNREAD, HttpExchange
from workers.summary.files.capturefile import open_capture
from workers.summary.summary import Summary

SNAPLENS = (54, 60, 68, 71, 77, 80, 90, 96, 107, 128, 200, 300)


def cut(data: bytes, snaplen: int) -> bytes:
    """A pcap file with its packets cut to so many bytes."""
    file = open_capture(io.BytesIO(data))
    records = [
        Record(buffer[start : start + length], time, snaplen)
        for buffer, start, _, length, time in file.packets()
    ]
    return packets.pcap(records)


def dns_over_tcp() -> bytes:
    dialogue = Dialogue()
    question = b"\x07cheddar\x07traefik\0" + struct.pack(">HH", 16, 1)
    asked = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + question
    answer = struct.pack(">HHHHHH", 7, 0x8180, 1, 1, 0, 0) + question + bytes(200)
    connection = dialogue.connect(server_port=53)
    connection.says(struct.pack(">H", len(asked)) + asked).hears(struct.pack(">H", len(answer)) + answer)
    return dialogue.file()


CASES: dict[str, Callable[[], bytes]] = {
    **{about: lambda make=made[1]: make().file() for about, made in SHOWN.items()},
    **{
        f"spoken {each.__name__}": lambda each=each: each("planted")
        for each in (spoken.http, spoken.http2, spoken.redis, spoken.postgresql, spoken.kafka, spoken.names)
    },
    "DNS over TCP": dns_over_tcp,
}


def unanswered(summary: Summary) -> set[tuple[str, int]]:
    """Server and frame of what is called unanswered."""
    return {(str(each.server), each.frame) for each in summary.groups if each.answer == "no answer"}


def troubles(summary: Summary) -> set[str]:
    return {each.id for each in summary.findings if each.severity != "info"}


def nothing_is_added(data: bytes) -> None:
    whole = summary_of(data)
    for snaplen in SNAPLENS:
        summary = summary_of(cut(data, snaplen))
        assert unanswered(summary) <= unanswered(whole), snaplen
        assert troubles(summary) <= troubles(whole), snaplen
        assert all(not group.failed for group in summary.groups if group.answer == UNREAD)


@pytest.mark.parametrize("about", CASES)
def test_what_was_cut_off_is_never_called_unanswered_and_makes_no_trouble(about: str) -> None:
    nothing_is_added(CASES[about]())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_handshake_whose_server_was_cut_is_not_called_unanswered(
    version: ssl.TLSVersion, tmp_path: Path
) -> None:
    dialogue = Dialogue(step=6000)
    tls(dialogue.connect(server_port=443), tmp_path, "shop.example", most=version, least=version)
    nothing_is_added(dialogue.file())
    (group,) = summary_of(cut(dialogue.file(), 80)).groups
    assert (group.asked, group.answer, group.failed) == ("10.244.2.2:443", UNREAD, False)


def hosts(said: bytes) -> dict[int, str]:
    """The host that is told, by how many bytes of the request were captured."""
    data = Dialogue()
    data.connect().says(said).hears(b"HTTP/1.1 200 OK\r\n\r\n")
    found = {}
    for captured in range(len(said) + 1):
        for each in summary_of(cut(data.file(), 54 + captured)).exchanges:
            assert isinstance(each, HttpExchange)
            found[captured] = each.host
    return found


@pytest.mark.parametrize("before", [b"", b"User-Agent: curl\r\n"])
def test_a_host_is_told_whole_or_not_at_all(before: bytes) -> None:
    said = b"GET /path HTTP/1.1\r\n%sHost: shop.example.com\r\nAccept: */*\r\n\r\n" % before
    known = said.index(b"\r\nAccept") + 1
    found = hosts(said)
    assert found == {
        captured: "shop.example.com" if captured >= known else "…"
        for captured in range(len(b"GET /path HTTP/1.1\r\n"), len(said) + 1)
    }


def test_of_a_request_for_a_whole_url_the_host_stands_in_its_first_line() -> None:
    found = hosts(b"GET http://shop.example/x HTTP/1.1\r\nHost: shop.example\r\n\r\n")
    assert set(found.values()) == {"shop.example"}


def test_a_password_in_a_host_is_hidden_where_its_end_was_cut_off() -> None:
    data = Dialogue()
    data.connect().says(b"GET / HTTP/1.1\r\nHost: me:hunter2hunter@cheddar\r\n\r\n")
    for snaplen in range(70, 120):
        assert "hunter" not in everything(cut(data.file(), snaplen))


@pytest.mark.parametrize("name", ["cheddar.traefik.svc.cluster.local", "a", "x" * 63])
def test_a_dns_name_is_told_whole_or_not_at_all(name: str) -> None:
    data = Dialogue()
    data.dns(name)
    told = {
        each.asked for captured in range(120) for each in summary_of(cut(data.file(), 42 + captured)).groups
    }
    assert told == {f"A {name}"}
