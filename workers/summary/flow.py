"""One TCP or UDP conversation, as `tshark -z conv` counts them. Pure."""

from typing import Literal, NamedTuple

from workers.summary.endpoint import Endpoint

Side = Literal["a", "b"]


class Tunnel(NamedTuple):
    """What a flow was inside of: the innermost, where tunnels are in tunnels.

    Attributes:
        kind: `vxlan`, `geneve`, `gre`, `ipip` (also IPv6 in IPv4 and the like) or another that tshark names.
        id: The VXLAN or Geneve network identifier, the GRE key; None where there is none.
        source: Outer address of the packet by which the flow was first seen.
        target: Likewise.
    """

    kind: str
    id: int | None
    source: str
    target: str


class Flow(NamedTuple):
    """One conversation. A tuple, because a big capture has tens of thousands.

    `a` is the side that Wireshark calls A: the sender of the conversation's first packet in the file. Who
    opened the connection is in `opened_by`. `_ab` counts what a sent to b.
    Of UDP all from `opened_by` to `closed_by` is as by default.

    Attributes:
        bytes_ab: On the wire (sums of Wireshark's frame.len), whatever was captured of them.
        start: Seconds since the first packet of the file.
        duration: Seconds.
        opened_by: The side that sent the SYN, None when that was not seen (and for UDP).
        handshake: Seconds from the first SYN to the opener's first ACK; None when not all of it was seen.
        resets_ab: Packets with RST.
        fins_ab: Packets with FIN.
        retransmitted_ab: Segments with nothing beyond what was sent before, but those that are out of order
            and keep-alives.
        out_of_order_ab: Segments with nothing beyond what was sent before that bring what is missing here,
            before their sender can have known of it: within the handshake's time (3 ms if that is unknown).
        zero_windows_ab: Packets, other than RST, SYN and FIN, that announce a receive window of nothing.
        syns_ab: Packets with SYN and without ACK: more than one were repeated.
        payload_ab: Bytes of the stream that were sent, each once, as the sequence numbers say.
        closed_by: The side that first sent FIN or RST.
        first_frame: Wireshark's number of the flow's first packet.
        vlan: The outermost VLAN id of the flow's first packet, None without a tag.
        tunnel: None for a flow that was in none.
        requests: HTTP requests, DNS questions and calls to databases and brokers that were read in it.
    """

    protocol: Literal["TCP", "UDP"]
    a: Endpoint
    b: Endpoint
    packets_ab: int
    bytes_ab: int
    packets_ba: int
    bytes_ba: int
    start: float
    duration: float
    opened_by: Side | None = None
    handshake: float | None = None
    resets_ab: int = 0
    resets_ba: int = 0
    fins_ab: int = 0
    fins_ba: int = 0
    retransmitted_ab: int = 0
    retransmitted_ba: int = 0
    out_of_order_ab: int = 0
    out_of_order_ba: int = 0
    zero_windows_ab: int = 0
    zero_windows_ba: int = 0
    syns_ab: int = 0
    syns_ba: int = 0
    payload_ab: int = 0
    payload_ba: int = 0
    closed_by: Side | None = None
    first_frame: int = 0
    vlan: int | None = None
    tunnel: Tunnel | None = None
    requests: int = 0

    @property
    def packets(self) -> int:
        """Both ways."""
        return self.packets_ab + self.packets_ba

    @property
    def bytes(self) -> int:
        """Both ways."""
        return self.bytes_ab + self.bytes_ba

    @property
    def client(self) -> Side:
        """The side that opened the connection; where that was not seen, the one with the higher port."""
        return self.opened_by or ("a" if self.a.port >= self.b.port else "b")

    @property
    def ends(self) -> tuple[Endpoint, Endpoint]:
        """Client and server."""
        return (self.a, self.b) if self.client == "a" else (self.b, self.a)
