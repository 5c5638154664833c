"""pcapng as podcap writes it, back to pcap."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.summary import packets
from tests.workers.summary.packets import Record
from workers.pcapng.about import About
from workers.pcapng.merge import merge
from workers.pcapng.read_back import ReadBackError, read_back

ABOUT = About(
    comment="podcap cap-7f3k9q",
    application="podcap",
    interface="veth1",
    description="traefik/cheddar",
    filter="port 80",
    hardware="",
    system="",
    hosts={"10.0.0.1": "cheddar"},
    received=1,
    dropped=0,
)


def there_and_back(pcap: bytes) -> bytes:
    middle, back = io.BytesIO(), io.BytesIO()
    (count,) = merge([io.BytesIO(pcap)], middle, ABOUT, [ABOUT]).packets
    middle.seek(0)
    assert read_back(middle, back) == count
    return back.getvalue()


@given(st.lists(st.binary(min_size=14, max_size=200), max_size=20))
def test_what_was_written_comes_back_byte_for_byte(frames: list[bytes]) -> None:
    pcap = packets.pcap([Record(frame) for frame in frames])
    assert there_and_back(pcap) == pcap


@given(st.binary(max_size=200))
def test_what_is_something_else_is_refused(data: bytes) -> None:
    with pytest.raises(ReadBackError):
        read_back(io.BytesIO(data), io.BytesIO())


def test_a_file_that_was_cut_is_refused() -> None:
    whole = io.BytesIO()
    merge([io.BytesIO(packets.pcap([Record(b"x" * 60)]))], whole, ABOUT, [ABOUT])
    with pytest.raises(ReadBackError):
        read_back(io.BytesIO(whole.getvalue()[:-3]), io.BytesIO())
