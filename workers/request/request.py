"""What a request is, and how it is written."""

from dataclasses import dataclass
from enum import StrEnum

from workers.request.duration import is_number, looks_like_duration, shown
from workers.request.target_words import looks_like_target, may_begin_arithmetic

DEFAULT_CLUSTER = "default"
"""The cluster of a target that names none."""


WHOLE_PACKETS = "full"
"""The word that asks for whole packets instead of headers."""

PLAIN_PCAP = "pcap"
"""The word that asks for a plain pcap file instead of pcapng."""

OPTIONS = frozenset({WHOLE_PACKETS, PLAIN_PCAP})
"""Words that stand before the filter."""


class TargetKind(StrEnum):
    """What a target is, by the word that one types for it."""

    POD = "pod"
    DEPLOYMENT = "deploy"
    STATEFULSET = "sts"
    DAEMONSET = "ds"
    REPLICASET = "rs"
    JOB = "job"
    SERVICE = "svc"
    LABELS = "labels"
    NODE = "node"


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be captured.

    Attributes:
        cluster: The cluster podcap knows by that name.
        kind: Of what kind it is.
        namespace: Empty for a node.
        name: For a pod its name, or the beginning of it; for labels the selector: `app=cheese,tier!=db`.
    """

    cluster: str
    kind: TargetKind
    namespace: str
    name: str

    @property
    def behind_the_slash(self) -> str:
        """What stands behind the namespace: `cheddar-0`, `deploy/cheddar`, `app=cheese`; for a node all."""
        if self.kind in (TargetKind.POD, TargetKind.LABELS):
            return self.name
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Request:
    """What to capture: `seconds` long, packets that match `filter` (pcap-filter(7); empty: all of them).

    All `targets` are in one cluster. `full` asks for whole packets, otherwise headers only; `pcap` for a
    plain pcap file, otherwise pcapng; `ends`: the two targets are the two ends of a conversation.
    """

    targets: tuple[Target, ...]
    seconds: int
    filter: str
    full: bool
    pcap: bool = False
    ends: bool = False

    @property
    def first(self) -> Target:
        """The target that was named first."""
        return self.targets[0]

    @property
    def is_one_pod(self) -> bool:
        """Whether it names a single pod."""
        return len(self.targets) == 1 and self.first.kind is TargetKind.POD


def named(*targets: Target, ends: bool = False) -> str:
    """Targets as one types them: `traefik/cheddar-0`, `prod:traefik/deploy/cheddar node/n1`, `a/b -> c/d`."""
    first = targets[0]
    cluster = "" if first.cluster == DEFAULT_CLUSTER else f"{first.cluster}:"
    texts = [f"{one.namespace}/{one.behind_the_slash}".removeprefix("/") for one in targets]
    # After a comma a target follows, whatever it looks like.
    doubtful = any(may_begin_arithmetic(one.namespace) for one in targets[1:])
    between = " -> " if ends else ", " if doubtful else " "
    return cluster + between.join(texts)


def render(request: Request) -> str:
    """The request as one types it; `grammar.parse` reads the same request from it."""
    parts = [named(*request.targets, ends=request.ends), shown(request.seconds)]
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
    return (
        is_number(words[0])
        or looks_like_target(words[0])
        or any(word in OPTIONS or looks_like_duration(word) for word in ends)
    )
