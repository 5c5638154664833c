"""Where podcap's own streams pass, from what `ss` of iproute2 6.1 printed on a node."""

import pytest

from workers.tap.own_stream import BYTES, OwnStream, carried, own_streams

SOCKETS = """\
0      0         192.168.1.20:44038         192.168.1.20:6443  bbr wscale:10,10 bytes_acked:1
0      0      [::ffff:192.168.1.20]:6443  [::ffff:192.168.1.35]:60100 cubic bytes_sent:900 bytes_received:100
0      0       [fd00:192:168:1::20]:6443   [fd00:192:168:1::35]:41446 bbr bytes_sent:1000 bytes_acked:1000
0      0        192.168.1.20%eth0:60122          192.168.1.99:8443  cubic bytes_sent:1 bytes_received:2
0      0             192.168.1.20:22             192.168.1.50:50000 cubic bytes_sent:77
"""


def test_connections_are_told_by_the_port_at_either_end_and_an_ipv4_address_by_itself() -> None:
    assert carried(SOCKETS, {6443, 8443}) == {
        (6443, "192.168.1.20", 44038): 0,
        (6443, "192.168.1.35", 60100): 1000,
        (6443, "fd00:192:168:1::35", 41446): 1000,
        (8443, "192.168.1.99", 60122): 3,
    }


@pytest.mark.parametrize("text", ["", "ss: not found\n", "0 0\n", "x" * 100])
def test_what_is_no_list_of_sockets_tells_of_none(text: str) -> None:
    assert carried(text, {6443}) == {}


def test_who_carried_as_much_as_the_stream_brought_is_on_its_way_and_nobody_else() -> None:
    watch, own, new = (6443, "10.0.0.1", 1), (6443, "10.0.0.2", 2), (6443, "10.0.0.2", 3)
    before = {watch: 5 * BYTES, own: 10}
    after = {watch: 6 * BYTES - 1, own: BYTES + 10, new: BYTES}
    assert own_streams(before, after) == (OwnStream(6443, "10.0.0.2"),)
