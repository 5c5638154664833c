"""What a request is, and how it is written."""

from dataclasses import dataclass

from workers.request.duration import is_number, looks_like_duration, shown

DEFAULT_CLUSTER = "default"
"""The cluster of a target that names none."""


WHOLE_PACKETS = "full"
"""The word that asks for whole packets instead of headers."""

PLAIN_PCAP = "pcap"
"""The word that asks for a plain pcap file instead of pcapng."""

OPTIONS = frozenset({WHOLE_PACKETS, PLAIN_PCAP})
"""Words that stand before the filter."""


@dataclass(frozen=True, slots=True)
class Target:
    """One pod: the cluster podcap knows by that name, the namespace, the pod's name."""

    cluster: str
    namespace: str
    pod: str


@dataclass(frozen=True, slots=True)
class Request:
    """What to capture: `seconds` long, packets that match `filter` (pcap-filter(7); empty: all of them).

    `full` asks for whole packets, otherwise headers only; `pcap` for a plain pcap file, otherwise pcapng.
    """

    target: Target
    seconds: int
    filter: str
    full: bool
    pcap: bool = False


def named(target: Target) -> str:
    """A target as one types it: `traefik/cheddar`, `prod:traefik/cheddar`."""
    cluster = "" if target.cluster == DEFAULT_CLUSTER else f"{target.cluster}:"
    return f"{cluster}{target.namespace}/{target.pod}"


def render(request: Request) -> str:
    """The request as one types it; `grammar.parse` reads the same request from it."""
    parts = [named(request.target), shown(request.seconds)]
    if request.full:
        parts.append(WHOLE_PACKETS)
    if request.pcap:
        parts.append(PLAIN_PCAP)
    if request.filter:
        parts.append(f'"{request.filter}"' if _must_be_quoted(request.filter) else request.filter)
    return " ".join(parts)


def _must_be_quoted(capture_filter: str) -> bool:
    """Whether a word at one of its ends would be read as something else than filter."""
    words = capture_filter.lower().split()
    ends = (words[0], words[-1])
    return is_number(words[0]) or any(word in OPTIONS or looks_like_duration(word) for word in ends)
