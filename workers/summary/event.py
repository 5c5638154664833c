"""What happened in one packet, or failed to: the evidence of findings. Pure.

Only so many of a kind are kept, and all are counted (`Events`), so that a capture of nothing but resets takes
no more memory than another.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from workers.summary.endpoint import Endpoint
from workers.summary.flow import Side

MOST_OF_A_KIND = 500

Kind = Literal[
    "reset",
    "refused",
    "unanswered",
    "retransmission",
    "zero-window",
    "icmp-error",
    "arp-unanswered",
    "arp-conflict",
    "neighbour-unanswered",
    "neighbour-conflict",
    "neighbour-moved",
    "dns-failure",
    "http-failure",
    "tls-failure",
    "call-failure",
]
"""What happens:

reset: RST on a connection that was open. `numbers`: `after`, seconds since the flow's start, and `idle`,
    seconds since its packet before.
refused: RST that answers a SYN. `side` is the one that refuses.
unanswered: A SYN to which nothing came. `numbers`: `tries`, and `seconds` from the first to the last.
retransmission: The first of a burst: those of one side that follow each other within a second.
    `numbers`: `segments`, `seconds` from the first to the last, and bytes of the `smallest`.
zero-window: The first of those that follow each other within a second, or as long as nothing new is sent
    to that side; `side` is the one that takes nothing more.
    `numbers`: `segments`, and `seconds` from the first to the last.
icmp-error: An ICMP or ICMPv6 error; `source` and `target` are the ends of the packet it quotes, `flow` is
    that packet's. `text`: what it says, as IANA names it (`port unreachable`).
    `numbers`: `type`, `code`, `mtu`, `protocol` (of IP, quoted). `by` is who reports it.
arp-unanswered, neighbour-unanswered: `text` is the address that nobody has, `source` who asks;
    `numbers`: `tries`, and `seconds` from the first to the last.
arp-conflict, neighbour-conflict: Two machines claim the address in `text`; `by` has their MAC addresses.
neighbour-moved: The address in `text` went from one machine to another; `by` has their MAC addresses.
dns-failure, http-failure, tls-failure, call-failure: The exchange that failed is at the same frame.
"""


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        kind: What happened.
        frame: Wireshark's number of the packet that shows it, from 1.
        time: Seconds since the first packet of the file.
        flow: Index into `Summary.flows` as long as all flows are there; else None, also in a digest.
        side: Whose packet it is.
        source: Sender of that packet (of the quoted one, in an ICMP error).
        target: Its receiver.
        text: Words of it; where it comes from packets it is cut and holds no secret, but is not inert.
        numbers: Figures of it.
        by: The IP address, or the MAC addresses, of who is behind it, as the kind says.
    """

    kind: Kind
    frame: int
    time: float
    flow: int | None = None
    side: Side | None = None
    source: Endpoint | None = None
    target: Endpoint | None = None
    text: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    by: str = ""


class Events:
    """The first `MOST_OF_A_KIND` events of each kind, and how many there were."""

    def __init__(self) -> None:
        self.counts: Counter[Kind] = Counter()
        self._kept: list[Event] = []

    def add(self, event: Event) -> None:
        """Counts it, and keeps it while there is room."""
        self.counts[event.kind] += 1
        if self.counts[event.kind] <= MOST_OF_A_KIND:
            self._kept.append(event)

    def result(self, tcp: int) -> tuple[Event, ...]:
        """Those kept, by frame.

        Args:
            tcp: How many TCP flows there are: a UDP conversation counts from -1 down while packets are read.
        """
        kept = sorted(self._kept, key=lambda event: event.frame)
        return tuple(
            event if event.flow is None or event.flow >= 0 else replace(event, flow=tcp + ~event.flow)
            for event in kept
        )
