import hashlib
from pathlib import Path

import pytest

from tests.workers.summary import packets
from tests.workers.summary.packets import Record
from workers.delivery import _headers_only
from workers.ledger.states import State
from workers.work import Ended

MARKER = hashlib.shake_128(b"marker").digest(100)
FRAME = packets.ethernet(packets.ipv4("10.0.0.1", "10.0.0.2", 17, packets.udp(1, 53, MARKER)))


def test_the_uncut_packets_are_gone_once_they_are_cut(tmp_path: Path) -> None:
    raw = tmp_path / "spool.pcap"
    raw.write_bytes(packets.pcap([Record(FRAME)] * 3))
    path = _headers_only(raw)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == packets.pcap([Record(FRAME, snaplen=42)] * 3)


def test_of_packets_that_cannot_be_cut_nothing_is_kept(tmp_path: Path) -> None:
    raw = tmp_path / "spool.pcap"
    raw.write_bytes(MARKER)
    with pytest.raises(Ended) as ended:
        _headers_only(raw)
    assert ended.value.state is State.FAILED
    assert str(ended.value) == (
        "The packets could not be cut to their headers. The file is not a pcap file. "
        "So nothing of them is kept."
    )
    assert list(tmp_path.iterdir()) == []
