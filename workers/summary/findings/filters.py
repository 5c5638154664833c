"""Display filters: what shows a finding in Wireshark (wireshark-filter(4)). Pure."""

import re
from collections.abc import Iterable, Sequence

from workers.summary.endpoint import Endpoint
from workers.summary.flow import Flow

MOST = 10
"""A filter names so many connections or names at most: it is to be read and typed."""

# Of protocols that Wireshark 4.0 knows by their port only, in cleartext (its preferences and `-G decodes`);
# HTTP/2 is known where HTTP/1 would be.
_PORTS = {
    "http2": frozenset((80, 1900, 2710, 2869, 3128, 3132, 5985, 8080, 8088, 11371)),
    "resp": frozenset((6379,)),
    "pgsql": frozenset((5432,)),
    "kafka": frozenset((9092,)),
}

_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,253}")


def address(address: str, direction: str = "addr") -> str:
    """`ip.addr == 10.0.0.1`; the direction may be `src` or `dst`."""
    return f"{'ipv6' if ':' in address else 'ip'}.{direction} == {address}"


def sender(end: Endpoint, protocol: str = "tcp") -> str:
    """Packets from an end."""
    return f"{address(end.address, 'src')} && {protocol}.srcport == {end.port}"


def answered(frame: int, protocol: str, condition: str, server: Endpoint) -> str:
    """A question, and what its server sent of which the condition holds.

    At a port where Wireshark does not know the protocol, all data from then on.
    """
    known = server.port in _PORTS.get(protocol, (server.port,))
    shown = condition if known else f"frame.number >= {frame} && tcp.len > 0"
    return and_answers(frame, f"{shown} && {sender(server)}")


def sent(pairs: Iterable[tuple[Endpoint, Endpoint]]) -> str:
    """TCP segments from the first to the second of each pair."""
    return _either(
        [
            address(source.address, "src"),
            f"tcp.srcport == {source.port}",
            address(target.address, "dst"),
            f"tcp.dstport == {target.port}",
        ]
        for source, target in pairs
    )


def connections(pairs: Iterable[tuple[Endpoint, Endpoint]], protocol: str = "tcp") -> str:
    """All packets between the two ends of each pair."""
    return _either(
        [
            address(one.address),
            address(other.address),
            f"{protocol}.port == {one.port}",
            f"{protocol}.port == {other.port}",
        ]
        for one, other in pairs
    )


def flows(found: Iterable[Flow]) -> str:
    """All packets of the first so many flows of one protocol."""
    listed = sorted(found, key=lambda flow: flow.first_frame)
    return connections((flow.ends for flow in listed), listed[0].protocol.lower())


def from_frame(frame: int, condition: str) -> str:
    """Packets from a frame on, which is one of them."""
    return f"frame.number >= {frame} && {condition}"


def and_answers(frame: int, condition: str) -> str:
    """A question, and answers like its own."""
    return f"frame.number == {frame} || ({condition})"


def dns_names(names: Iterable[str]) -> str:
    """Questions for names, in whatever case they were asked; empty where a name is not plain text."""
    listed = list(dict.fromkeys(names))[:MOST]
    if not all(_PLAIN.fullmatch(name) for name in listed):
        return ""
    return _either([f'lower(dns.qry.name) == "{name.lower()}"'] for name in listed)


def _either(alternatives: Iterable[Sequence[str]]) -> str:
    """The first so many alternatives; what all of them have in common is said once."""
    listed = list(dict.fromkeys(map(tuple, alternatives)))[:MOST]
    common = [each for each in dict.fromkeys(listed[0]) if all(each in one for one in listed)]
    rest = [" && ".join(dict.fromkeys(each for each in one if each not in common)) for one in listed]
    if not any(rest):
        return " && ".join(common)
    grouped = [f"({each})" if "&&" in each else each for each in rest]
    return " && ".join([*common, f"({' || '.join(grouped)})"])
