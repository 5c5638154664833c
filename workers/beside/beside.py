"""One tap's pod with all that is known beside its packets. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from workers.cluster.pod import Pod
from workers.names.names import Names
from workers.names.snapshot import Snapshot
from workers.pod_logs.aligned import Aligned, Origin, aligned
from workers.pod_logs.pod_log import PodLog
from workers.summary.endpoint import Endpoint
from workers.summary.summary import Summary
from workers.surroundings import kernel_counters
from workers.surroundings.policies import Policy
from workers.surroundings.surroundings import Surroundings
from workers.surroundings.tracked import clients
from workers.vantage.comparison import Comparison


@dataclass(frozen=True)
class Beside:
    """A tapped pod.

    Attributes:
        number: Its vantage point's.
        pod: As it was when its tap was decided.
        summary: Of its own tap.
        before: What was around it before its capturing began; None where that is not known.
        after: Likewise after it ended.
        log: None where it was not read.
    """

    number: int
    pod: Pod
    summary: Summary
    before: Surroundings | None = None
    after: Surroundings | None = None
    log: PodLog | None = None

    @property
    def name(self) -> str:
        """`traefik/cheddar-845749dbd6-zcdjm`."""
        return f"{self.pod.namespace}/{self.pod.name}"

    @property
    def latest(self) -> Surroundings | None:
        """What is known of its end, or at least of its begin."""
        return self.after or self.before

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Those that selected it at any of the two moments."""
        known = [
            each for around in (self.before, self.after) if around is not None for each in around.policies
        ]
        return tuple({(each.namespace, each.name): each for each in known}.values())

    @cached_property
    def counted(self) -> Mapping[str, int]:
        """How far the kernel's counters went on meanwhile."""
        if self.before is None or self.after is None:
            return {}
        return kernel_counters.moved(self.before.counters, self.after.counters)


@dataclass(frozen=True)
class Around:
    """All that is beside the packets of one capture.

    Attributes:
        besides: The tapped pods.
        comparison: What happened between the vantage points; None for a capture with one tap.
        cluster: The snapshot of the cluster.
        others: Summaries of taps that are no pod's.
    """

    besides: Sequence[Beside]
    comparison: Comparison | None = None
    cluster: Snapshot = field(default_factory=Snapshot)
    others: Sequence[Summary] = ()

    @cached_property
    def names(self) -> Names:
        """Of addresses."""
        return Names(self.cluster)

    @cached_property
    def summaries(self) -> tuple[Summary, ...]:
        """Of every tap."""
        return (*(each.summary for each in self.besides), *self.others)

    @cached_property
    def origins(self) -> Mapping[int, Mapping[Endpoint, Origin]]:
        """For each tap's number who a rewritten client was, by its address and port as the pod saw them."""
        found: dict[int, dict[Endpoint, Origin]] = {each.number: {} for each in self.besides}
        for each, around in ((one, around) for one in self.besides for around in (one.before, one.after)):
            if around is not None:
                proof = f"connection tracking of node {each.pod.node}"
                for (client, server), known in clients(around.tracked).items():
                    origin = Origin(known.client.address, known.client.port, proof)
                    for number in self._of(server.address):
                        found[number][client] = origin
        if self.comparison is not None:
            names = {each.number: each.name for each in self.comparison.vantages}
            for (number, client, _), passage in self.comparison.origins().items():
                stop = passage.origin
                if number in found and stop.client != client:
                    proof = f"the same packets at {names.get(stop.vantage, 'another tap')}"
                    found[number][client] = Origin(stop.client.address, stop.client.port, proof)
        return found

    @cached_property
    def aligned(self) -> Mapping[int, tuple[Aligned, ...]]:
        """For each tap's number the requests in its pod's log, with their packets and who they were."""
        return {
            each.number: aligned(each.log, each.summary, each.pod.ips, self.origins[each.number])
            for each in self.besides
            if each.log is not None
        }

    def _of(self, address: str) -> list[int]:
        return [each.number for each in self.besides if address in each.pod.ips]
