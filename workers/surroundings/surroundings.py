"""What was around one pod at one moment. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from workers.pod_logs.moment import clock
from workers.surroundings.pod_state import PodEvent, PodState
from workers.surroundings.policies import Policy
from workers.surroundings.sockets import Sockets
from workers.surroundings.tracked import Tracked


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the pod's node and Kubernetes said of it.

    Attributes:
        namespace: Of the pod.
        pod: Its name.
        uid: Its UID.
        at: When it was asked, in nanoseconds since 1970 by the node's clock; by podcap's own where the node
            was not asked.
        routes: A line each.
        neighbours: A line each.
        sockets: None where the pod's network namespace could not be looked at.
        counters: What its kernel has counted since the namespace was made.
        tracked: What the node tracks of connections of the capture's pods, where its kernel shows that.
        state: None where Kubernetes did not say.
        policies: NetworkPolicies that select the pod.
        namespace_labels: Labels of namespaces, as far as policies select by them.
        events: About the pod.
        missing: What is not here and why, a sentence each.
    """

    namespace: str
    pod: str
    uid: str
    at: int = 0
    routes: tuple[str, ...] = ()
    neighbours: tuple[str, ...] = ()
    sockets: Sockets | None = None
    counters: Mapping[str, int] = field(default_factory=dict)
    tracked: tuple[Tracked, ...] = ()
    state: PodState | None = None
    policies: tuple[Policy, ...] = ()
    namespace_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    events: tuple[PodEvent, ...] = ()
    missing: tuple[str, ...] = ()


def looked_late(given: Surroundings) -> Surroundings:
    """The first look of a worker that took the capture over: that of the one before went with it."""
    why = (
        f"This was looked at first at {clock(given.at)}, when another worker took the capture over: what "
        "changed before that is not here."
    )
    return replace(given, missing=(*given.missing, why))


def restarts(before: Surroundings | None, after: Surroundings | None) -> dict[str, int]:
    """Containers that were started anew between two moments, and how often."""
    if before is None or after is None or before.state is None or after.state is None:
        return {}
    earlier = {one.name: one.restarts for one in before.state.containers}
    return {
        one.name: one.restarts - earlier[one.name]
        for one in after.state.containers
        if one.restarts > earlier.get(one.name, one.restarts)
    }
