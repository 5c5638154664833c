"""What this process counts, for Prometheus. docs/operations.md has the table; a test holds the two together.

What a process does it counts itself, from its own start on; what stands in the ledger the bot tells, because
the ledger is the truth for all of them (`workers.figures`). No label names a pod, a person or a capture.
"""

from collections.abc import Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from workers.ledger.states import FINAL, State
from workers.trail.entry import Entry

REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)

_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
_ACK_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3)

MOVES = Counter(
    "podcap_capture_moves_total", "Captures that this process moved to a state.", ["state"], registry=REGISTRY
)
PHASES = Histogram(
    "podcap_capture_phase_seconds",
    "How long a capture was in a state that this process ended.",
    ["state"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
DURATIONS = Histogram(
    "podcap_capture_duration_seconds",
    "From the request to the end, for captures that this process ended.",
    ["state"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
PACKETS = Counter("podcap_captured_packets_total", "Packets of finished spools.", registry=REGISTRY)
BYTES = Counter("podcap_captured_bytes_total", "Bytes of finished spools.", registry=REGISTRY)
DROPS = Counter(
    "podcap_dropped_packets_total", "Packets that a node's kernel dropped before tcpdump.", registry=REGISTRY
)
LEASES_LOST = Counter(
    "podcap_leases_lost_total", "Captures taken from a worker that was found dead.", registry=REGISTRY
)
TAKEOVERS = Counter(
    "podcap_takeovers_total", "Captures that a worker took over from another one.", registry=REGISTRY
)
PODS_REAPED = Counter(
    "podcap_agent_pods_reaped_total", "Agent pods removed because no capture needed them.", registry=REGISTRY
)
PUBLISH_FAILURES = Counter(
    "podcap_publish_failures_total", "Times that Redis did not take a capture's id.", registry=REGISTRY
)
RATE_LIMITED = Counter(
    "podcap_slack_rate_limited_total", "Times that Slack answered 429, too many requests.", registry=REGISTRY
)
ACKS = Histogram(
    "podcap_slack_ack_seconds",
    "From a request of Slack to its ack; Slack gives up after 3 s.",
    buckets=_ACK_SECONDS,
    registry=REGISTRY,
)
LAST_ROUND = Gauge(
    "podcap_housekeeping_last_round_timestamp_seconds",
    "When beat last finished a round, in Unix time.",
    registry=REGISTRY,
)

_EVENTS = {"worker lost": LEASES_LOST, "taken over": TAKEOVERS}
_STATES = frozenset(State)


def count(story: Sequence[Entry]) -> None:
    """Counts what the last entry of a capture's trail says; those before it say since when.

    Args:
        story: The capture's entries in their order, the last of them just committed by this process.
    """
    if not story:
        return
    last = story[-1]
    if last.event in _EVENTS:
        _EVENTS[last.event].inc()
    if last.event not in _STATES:
        return
    MOVES.labels(last.event).inc()
    if last.event == State.SUMMARISING:
        facts = last.known()
        PACKETS.inc(facts.get("packets") or 0)
        BYTES.inc(facts.get("bytes") or 0)
        DROPS.inc(facts.get("dropped") or 0)
    before = [entry for entry in story[:-1] if entry.event in _STATES]
    if before:
        PHASES.labels(before[-1].event).observe(_between(before[-1], last))
        if State(last.event) in FINAL:
            DURATIONS.labels(last.event).observe(_between(before[0], last))


def _between(one: Entry, other: Entry) -> float:
    # The clocks of two machines may differ by more than a short phase takes.
    gone = datetime.fromisoformat(other.at) - datetime.fromisoformat(one.at)
    return max(0.0, gone.total_seconds())
