"""The protocols whose connections and packets are read. Pure."""

from workers.summary.protocols import http2, redis, sized
from workers.summary.protocols.dns import DNS_OVER_TCP
from workers.summary.protocols.http1 import HTTP1
from workers.summary.protocols.lone import LonePackets
from workers.summary.protocols.reader import Known, LoneReader
from workers.summary.protocols.tls import TLS

KNOWN: tuple[Known, ...] = (HTTP1, TLS, DNS_OVER_TCP, http2.KNOWN, redis.KNOWN, sized.KNOWN)
"""No two have a start or a port in common."""


def lone_readers() -> tuple[LoneReader, ...]:
    """Fresh readers of what is outside of TCP and UDP."""
    return (LonePackets(),)
