"""Which of Wireshark's fields are told. Pure.

Only these: the words of others can be anything that a packet holds, passwords among them. Those here are
numbers, what Wireshark calls numbers, addresses, and names that findings tell as well (DNS, TLS).
"""

import re

from workers.summary.decoded import LONGEST

FIELDS = frozenset(
    [
        "ip.ttl",
        "ip.flags.df",
        "ipv6.hlim",
        "tcp.flags",
        "tcp.seq",
        "tcp.ack",
        "tcp.len",
        "tcp.window_size",
        "tcp.options.mss_val",
        "icmp.type",
        "icmp.code",
        "icmp.mtu",
        "icmpv6.type",
        "icmpv6.code",
        "icmpv6.mtu",
        "arp.opcode",
        "arp.src.hw_mac",
        "arp.src.proto_ipv4",
        "arp.dst.proto_ipv4",
        "dns.qry.name",
        "dns.qry.type",
        "dns.flags.response",
        "dns.flags.rcode",
        "dns.flags.truncated",
        "dns.time",
        "http.request.method",
        "http.response.code",
        "http.time",
        "http2.type",
        "http2.rst_stream.error",
        "http2.goaway.error",
        "http2.headers.status",
        "tls.record.content_type",
        "tls.record.version",
        "tls.handshake.type",
        "tls.handshake.version",
        "tls.handshake.ciphersuite",
        "tls.handshake.extensions_server_name",
        "tls.alert_message.level",
        "tls.alert_message.desc",
        "pgsql.type",
        "pgsql.code",
        "kafka.api_key",
        "kafka.api_version",
        "kafka.error",
    ]
)
"""Names as in display filters (Wireshark 4.0; what another version does not have is not told)."""

_SHAPES = {
    # As packets have them, as text.
    "http.request.method": r"[A-Z]{1,20}",
    "http2.headers.status": r"\d{3}",
    "pgsql.code": r"[0-9A-Z]{5}",
    # Nothing to tell otherwise.
    "ip.flags.df": "1|True",
    "dns.flags.truncated": "1|True",
    "tcp.len": "[1-9].*",
}
"""What the values of some must be."""

EXPERT = "_ws.expert.message"
EXPERTS = frozenset(("eth", "ip", "ipv6", "tcp", "udp", "icmp", "icmpv6", "arp", "dns", "_ws.malformed"))
"""Layers whose expert information is told: HTTP's, for one, quotes the request."""

_ARTEFACTS = ("Previous segment", "ACKed segment")
"""What Wireshark says where packets are missing: here most are, because few were taken out of the file."""

# Where a field is some bits of a byte, these stand first: `.1.. .... = Don't fragment: Set`.
_BITS = re.compile(r"^[.01 ]+ = ")
_BEHIND = re.compile(r"\s+\(relative [a-z]+ number\)$")


def told(name: str, value: str, line: str) -> str | None:
    """The field's line, cut; None where it is not told.

    Args:
        name: As in display filters.
        value: What a display filter would compare.
        line: What Wireshark shows of it.
    """
    if name not in FIELDS or (name in _SHAPES and not re.fullmatch(_SHAPES[name], value)):
        return None
    return _cut(_BEHIND.sub("", _BITS.sub("", line)))


def expert_told(layer: str, message: str) -> str | None:
    """The message, cut; None where it is not told."""
    return None if layer not in EXPERTS or message.startswith(_ARTEFACTS) else _cut(message)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
