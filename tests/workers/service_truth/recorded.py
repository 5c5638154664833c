"""The captures of three replicas behind a node port, recorded at once, as sights of the recorded cluster."""

from pathlib import Path

from tests.workers.summary.findings.test_source_rewritten import context
from tests.workers.summary.findings.wire import summary_of
from workers.names.form import from_json
from workers.names.snapshot import Snapshot
from workers.service_truth.sight import Sight
from workers.summary.summary import Summary
from workers.vantage.vantage import Vantage

_EVIDENCE = Path(__file__).parents[2] / "evidence"
REPLICAS = {
    "f7d7z": ("node1", "10.244.1.2"),
    "rhg54": ("node1", "10.244.1.3"),
    "5hfjj": ("node2", "10.244.2.2"),
}


def cluster(policy: str) -> Snapshot:
    """The recorded cluster, its Service with that `externalTrafficPolicy`."""
    return from_json(dict(context(policy).cluster or {}))


def sights(policy: str, replicas: tuple[str, ...] = tuple(REPLICAS)) -> list[Sight]:
    """One for each replica, as the reading child and its digest leave it."""
    return [_sight(number, name, policy) for number, name in enumerate(replicas)]


def _sight(number: int, replica: str, policy: str) -> Sight:
    path = _EVIDENCE / f"nodeport-{policy}" / f"cheddar-655d8555f-{replica}.pcap"
    summary = Summary.from_json(summary_of(path.read_bytes(), context(policy)).digest().to_json())
    node, address = REPLICAS[replica]
    name = f"traefik/cheddar-655d8555f-{replica}"
    vantage = Vantage(number, name, "pod", node, (address,))
    return Sight(vantage, summary.visits, summary.totals.duration)
