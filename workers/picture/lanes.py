"""Which events the picture marks, and how: a lane for each sort, with a shape of its own. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workers.summary.event import Kind

Mark = Literal["cross", "diamond", "ring", "square", "triangle"]


@dataclass(frozen=True, slots=True)
class Lane:
    """Events of one sort.

    Attributes:
        name: What it is called where it has events of several kinds.
        mark: The shape of its events: a picture must not depend on colours.
        kinds: Their names where there are no others, for one and for many.
    """

    name: str
    mark: Mark
    kinds: Mapping[Kind, tuple[str, str]]


LANES = (
    Lane("resets", "cross", {"reset": ("reset", "resets"), "refused": ("refused", "refused")}),
    Lane("sent again", "diamond", {"retransmission": ("sent again", "sent again")}),
    Lane(
        "no answer",
        "ring",
        {
            "unanswered": ("no answer", "no answer"),
            "arp-unanswered": ("ARP: nobody", "ARP: nobody"),
            "neighbour-unanswered": ("NDP: nobody", "NDP: nobody"),
        },
    ),
    Lane("window full", "square", {"zero-window": ("window full", "window full")}),
    Lane(
        "errors",
        "triangle",
        {
            "http-failure": ("HTTP error", "HTTP errors"),
            "dns-failure": ("DNS error", "DNS errors"),
            "tls-failure": ("TLS error", "TLS errors"),
            "call-failure": ("call failed", "calls failed"),
            "icmp-error": ("ICMP error", "ICMP errors"),
            "arp-conflict": ("ARP conflict", "ARP conflicts"),
            "neighbour-conflict": ("NDP conflict", "NDP conflicts"),
            "neighbour-moved": ("NDP: moved", "NDP: moved"),
        },
    ),
)
"""From top to bottom. Every kind of event is in one of them."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A lane's events in one capture.

    Attributes:
        label: With how many there are: `DNS errors 12`.
        mark: Their shape.
        counts: How many in each column.
    """

    label: str
    mark: Mark
    counts: tuple[int, ...]


def marked(marks: Mapping[str, Sequence[int]]) -> list[Marked]:
    """The lanes that have events."""
    found = []
    for lane in LANES:
        kinds = [kind for kind in lane.kinds if any(marks.get(kind, ()))]
        if kinds:
            counts = tuple(map(sum, zip(*(marks[kind] for kind in kinds), strict=True)))
            number = sum(counts)
            name = lane.kinds[kinds[0]][number > 1] if len(kinds) == 1 else lane.name
            found.append(Marked(f"{name} {number:,}", lane.mark, counts))
    return found
