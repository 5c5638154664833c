"""What Kubernetes says of a pod at one moment: its containers, conditions and events. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from workers.pod_logs.moment import moment
from workers.pod_logs.redacted import shown

_MOST_EVENTS = 50


class Container(NamedTuple):
    """A container of the pod.

    Attributes:
        restarts: How often it was started anew in all.
        ended: Why its run before this one ended, as in `OOMKilled`; "" when there was none.
        code: With which exit code; None where that is not known.
        at: When, in nanoseconds since 1970; None likewise.
        waits: Why it does not run, as in `CrashLoopBackOff`; "" when it runs.
    """

    name: str
    restarts: int = 0
    ended: str = ""
    code: int | None = None
    at: int | None = None
    waits: str = ""


class Condition(NamedTuple):
    """A condition of the pod: `Ready` is `False` because `ContainersNotReady`, since then (nanoseconds)."""

    type: str
    status: str
    reason: str = ""
    since: int | None = None


class PodEvent(NamedTuple):
    """An Event about the pod.

    Attributes:
        last: When it happened last, in nanoseconds since 1970.
        kind: `Normal` or `Warning`.
        reason: In one word.
        message: Cut and without secrets; not inert.
        times: How often.
        first: When it happened first.
    """

    last: int
    kind: str
    reason: str
    message: str
    times: int = 1
    first: int = 0


class PodState(NamedTuple):
    """All of it; `labels` are what policies select by."""

    phase: str = ""
    labels: Mapping[str, str] = {}
    containers: tuple[Container, ...] = ()
    conditions: tuple[Condition, ...] = ()


def state(pod: Mapping[str, Any]) -> PodState:
    """Reads a `v1.Pod` as the API returns it; what is missing or of another shape is left out."""
    status = pod.get("status") or {}
    listed = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    return PodState(
        str(status.get("phase") or ""),
        pod["metadata"].get("labels") or {},
        tuple(_container(each) for each in listed),
        tuple(
            Condition(
                str(each.get("type")),
                str(each.get("status")),
                str(each.get("reason") or ""),
                moment(each.get("lastTransitionTime")),
            )
            for each in status.get("conditions") or []
        ),
    )


def _container(given: Mapping[str, Any]) -> Container:
    ended = (given.get("lastState") or {}).get("terminated") or {}
    now = given.get("state") or {}
    waits = now.get("waiting") or {}
    if now.get("terminated"):
        ended = now["terminated"]
    return Container(
        str(given.get("name")),
        int(given.get("restartCount") or 0),
        str(ended.get("reason") or ""),
        ended.get("exitCode"),
        moment(ended.get("finishedAt")),
        str(waits.get("reason") or ""),
    )


def events(given: Iterable[Mapping[str, Any]]) -> tuple[PodEvent, ...]:
    """Reads core/v1 Events: the newest fifty, by time; podcap's own are left out."""
    found = sorted(filter(None, map(_event, given)))
    return tuple(found[-_MOST_EVENTS:])


def _event(given: Mapping[str, Any]) -> PodEvent | None:
    source = given.get("reportingComponent") or (given.get("source") or {}).get("component") or ""
    series = given.get("series") or {}
    times = int(series.get("count") or given.get("count") or 1)
    first = next(_moments(given, "firstTimestamp", "eventTime"), None)
    last = moment(series.get("lastObservedTime")) or next(_moments(given, "lastTimestamp", "eventTime"), None)
    if last is None or source == "podcap":
        return None
    kind, reason = str(given.get("type") or ""), str(given.get("reason") or "")
    return PodEvent(last, kind, reason, shown(str(given.get("message") or "")), times, first or last)


def _moments(given: Mapping[str, Any], *names: str) -> Iterator[int]:
    yield from (at for name in names if (at := moment(given.get(name))) is not None)
