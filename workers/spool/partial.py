"""What is left of a capture that broke off: the whole packets that arrived, and a sentence that says why."""

from dataclasses import replace
from pathlib import Path

from workers.cluster.cluster import Cluster
from workers.cluster.errors import ClusterError, NamespaceNotFoundError, PodNotFoundError
from workers.ledger.tap_record import TapKind, TapRecord
from workers.spool.report import SpoolReport
from workers.spool.spool import SpoolLostError
from workers.spool.whole import keep_whole_packets

_NO_SPACE = "No space left on device"


def lost(path: Path, error: SpoolLostError) -> SpoolReport:
    """The report of a spool of which no more will come; the file is cut to whole packets.

    Args:
        path: What has arrived.
        error: Why no more comes.
    """
    counter = keep_whole_packets(path)
    return SpoolReport(counter.packets or 0, None, None, counter.whole, None, "lost", str(error))


def failed(report: SpoolReport, cluster: Cluster, tap: TapRecord) -> SpoolReport:
    """The report of a tcpdump that failed, with a sentence for it.

    Args:
        report: How it ended: by an error, in tcpdump's words.
        cluster: Knows what became of the pod.
        tap: Which pod that was, and where its packets were taken.
    """
    return replace(report, error=_why(report.error, cluster, tap))


def _why(words: str, cluster: Cluster, tap: TapRecord) -> str:
    if _NO_SPACE in words:
        return f"The disk of node {tap.node} was full, so that tcpdump could write no more."
    # Its interface goes with a pod; only the cluster knows that it was the pod's end.
    if tap.kind is TapKind.POD and _is_gone(cluster, tap):
        return f"Pod {tap.pod} was deleted while it was captured."
    return f"tcpdump failed on {tap.interface} ({words.rstrip('.')})."


def _is_gone(cluster: Cluster, tap: TapRecord) -> bool:
    try:
        now = cluster.pod(tap.namespace, tap.pod)
    except (PodNotFoundError, NamespaceNotFoundError):
        return True
    except ClusterError:
        return False
    return now.uid != tap.pod_uid or now.deleting
