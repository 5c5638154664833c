"""A pod that was started anew, or was not ready, while it was captured. Pure."""

from collections.abc import Iterator

from workers.beside.beside import Around, Beside
from workers.pod_logs.moment import clock
from workers.summary.finding import Finding
from workers.summary.findings import wording
from workers.surroundings.pod_state import Container
from workers.surroundings.surroundings import restarts

RESTARTED, NOT_READY = "restarted-meanwhile", "not-ready"
"""The ids of these findings."""

_OUT_OF_MEMORY = "OOMKilled"


def find(around: Around) -> Iterator[Finding]:
    """One for each container that was started anew, and one for each pod that was not ready."""
    for each in around.besides:
        again = restarts(each.before, each.after)
        for container in each.after.state.containers if each.after and each.after.state else ():
            if container.name in again:
                yield _restarted(each, container, again[container.name])
        yield from _not_ready(each)


def _restarted(each: Beside, container: Container, times: int) -> Finding:
    ended = wording.quoted(container.ended) if container.ended else "it ended"
    code = "" if container.code is None else f", exit code {container.code}"
    when = "" if container.at is None else f" at {clock(container.at)} UTC"
    starved = container.ended == _OUT_OF_MEMORY
    return Finding(
        RESTARTED,
        "critical",
        f"Container {wording.quoted(container.name)} of {wording.quoted(each.name)} was started anew "
        f"{wording.many(times, 'time')} while it was captured ({ended}{code}{when}): connections that it had "
        "broke off, and nothing listened until it was back.",
        {"times": times, "reason": container.ended, "code": -1 if container.code is None else container.code},
        next="Raise its memory limit, or find what takes the memory."
        if starved
        else f"`kubectl logs --previous -c {container.name} -n {each.pod.namespace} {each.pod.name}` has its "
        "last words.",
    )


def _not_ready(each: Beside) -> Iterator[Finding]:
    """Services send nothing to such a pod; one that is being started anew says so already."""
    latest = each.after.state if each.after else None
    ready = next((one for one in latest.conditions if one.type == "Ready"), None) if latest else None
    if ready is None or ready.status != "False" or restarts(each.before, each.after):
        return
    began = each.before.at if each.before else 0
    since = "all the time" if not ready.since or ready.since < began else f"since {clock(ready.since)} UTC"
    reason = f" ({wording.quoted(ready.reason)})" if ready.reason else ""
    probes = [event for event in each.after.events if event.reason == "Unhealthy"] if each.after else []
    failed = f" The kubelet says: {wording.quoted(probes[-1].message)}." if probes else ""
    yield Finding(
        NOT_READY,
        "warning",
        f"{wording.quoted(each.name)} was not ready {since}{reason}, so that Services send it no new "
        f"connections.{failed}",
        {"times": 1},
        next="Let its readiness probe succeed: `kubectl describe pod` says what it answers.",
    )
