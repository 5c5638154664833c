"""What a node tracks of connections, and how it rewrites them: lines of `/proc/net/nf_conntrack`. Pure.

The file is there where the kernel was built with CONFIG_NF_CONNTRACK_PROCFS; its lines are as
net/netfilter/nf_conntrack_standalone.c writes them.
"""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import NamedTuple

from workers.summary.endpoint import Endpoint

_LINE = re.compile(r"ipv[46]\s+\d+ (\S{1,16})\s+\d+ (?:\d+ )?(?:([A-Z_0-9]{2,16}) )?(src=.*)")
_END = re.compile(r"src=(\S{1,64}) dst=(\S{1,64}) (?:sport=(\d{1,5}) dport=(\d{1,5}))?")


class Tracked(NamedTuple):
    """One connection as a node's connection tracking knows it.

    Attributes:
        protocol: `tcp`, `udp` and so on.
        state: Of TCP, such as `ESTABLISHED`; else "".
        client: Who began it.
        server: Whom it was sent to.
        answers_from: Who answers: another than `server` where the target was rewritten (DNAT).
        answers_to: Whom the answers go to: another than `client` where the source was rewritten (SNAT).
    """

    protocol: str
    state: str
    client: Endpoint
    server: Endpoint
    answers_from: Endpoint
    answers_to: Endpoint

    @property
    def rewritten(self) -> bool:
        """Whether the node changes an address or a port."""
        return self.client != self.answers_to or self.server != self.answers_from

    @property
    def text(self) -> str:
        """For people: `tcp ESTABLISHED 192.168.1.35:51234 -> 192.168.1.12:32604, at the pod … -> …`."""
        state = f" {self.state}" if self.state else ""
        said = f"{self.protocol}{state} {self.client} -> {self.server}"
        return (
            f"{said}, behind this node {self.answers_to} -> {self.answers_from}" if self.rewritten else said
        )


def tracked(text: str) -> Iterator[Tracked]:
    """The connections; a line that is none, or torn, is left out."""
    for line in text.splitlines():
        found = _LINE.match(line)
        ends = _END.findall(found[3]) if found else []
        if found is None or len(ends) != 2:  # noqa: PLR2004, the way there and the way back
            continue
        try:
            (a, b), (c, d) = (_ends(end) for end in ends)
        except ValueError:
            continue
        yield Tracked(found[1], found[2] or "", a, b, c, d)


def _ends(found: tuple[str, str, str, str]) -> tuple[Endpoint, Endpoint]:
    source, target, sport, dport = found
    ends = (
        Endpoint(str(ip_address(source)), int(sport or 0)),
        Endpoint(str(ip_address(target)), int(dport or 0)),
    )
    if max(ends[0].port, ends[1].port) > 0xFFFF:  # noqa: PLR2004, ports have 16 bits
        raise ValueError("no port")
    return ends


def clients(listed: Iterator[Tracked] | tuple[Tracked, ...]) -> Mapping[tuple[Endpoint, Endpoint], Tracked]:
    """Those whose source is rewritten, by the connection as it is behind the node: client and server."""
    return {(each.answers_to, each.answers_from): each for each in listed if each.client != each.answers_to}
