"""The lines that a pod logged while it was captured, as far as they may be shown. Pure.

Kubernetes writes before each line when the container's runtime read it (`timestamps=true`): by the node's
clock, which the packets of that node's taps have as well.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from workers.pod_logs.access import Access, access
from workers.pod_logs.moment import moment
from workers.pod_logs.redacted import shown

NOT_ALLOWED = "The policy does not let podcap read pods' logs here: a rule of it must say logs: true."
"""The note of a log that nobody was to read."""

MOST_LINES = 1000
"""Of a pod's lines so many are kept."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line.

    Attributes:
        at: When it was read from the container, in nanoseconds since 1970.
        container: Which of the pod's.
        text: Cut and without secrets; not inert.
        access: The request that it tells of, if it does.
    """

    at: int
    container: str
    text: str
    access: Access | None = None


@dataclass(frozen=True, slots=True)
class PodLog:
    """What one pod logged.

    Attributes:
        namespace: Of the pod.
        pod: Its name.
        lines: By time.
        notes: What is missing and why, a sentence each.
    """

    namespace: str
    pod: str
    lines: tuple[LogLine, ...] = ()
    notes: tuple[str, ...] = ()


def lines(data: bytes, container: str, since: int, until: int) -> Iterator[LogLine]:
    """The lines between two moments, of what Kubernetes answered; what is no line of a log is left out.

    Args:
        data: As Kubernetes answered, with timestamps; its end may be torn.
        container: Whose log it is.
        since: Nanoseconds since 1970.
        until: Likewise, inclusive.
    """
    for raw in data.splitlines():
        stamp, _, text = raw.partition(b" ")
        at = moment(stamp.decode("ascii", "replace"))
        if at is not None and since <= at <= until:
            line = text.decode("utf-8", "replace")
            yield LogLine(at, container, shown(line), access(line))


def log_of(namespace: str, pod: str, found: Iterable[LogLine], notes: Iterable[str] = ()) -> PodLog:
    """A pod's lines by time; of too many the requests stay before the others, and the first of each."""
    ordered = sorted(found, key=lambda line: line.at)
    said = tuple(notes)
    if len(ordered) > MOST_LINES:
        said = (*said, f"It logged {len(ordered):,} lines; {MOST_LINES:,} of them are here.")
        first = sorted(ordered, key=lambda line: line.access is None)[:MOST_LINES]
        ordered = sorted(first, key=lambda line: line.at)
    return PodLog(namespace, pod, tuple(ordered), said)
