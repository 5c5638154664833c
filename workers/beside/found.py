"""All findings from beside the packets. Pure."""

from workers.beside import kernel_dropped, log_names, pod_changed, policy_selects
from workers.beside.beside import Around
from workers.summary.finding import Finding

FOUND_BY = {
    policy_selects.ID: policy_selects.find,
    kernel_dropped.LISTEN: kernel_dropped.find,
    kernel_dropped.RECEIVE: kernel_dropped.find,
    kernel_dropped.AGAIN: kernel_dropped.find,
    pod_changed.RESTARTED: pod_changed.find,
    pod_changed.NOT_READY: pod_changed.find,
    log_names.ID: log_names.find,
}
"""Each finding's id, and what finds it; docs/findings.md says when."""


def found(around: Around) -> tuple[Finding, ...]:
    """All of them; to be joined with those of the packets (`ranking.joined`)."""
    return tuple(each for find in dict.fromkeys(FOUND_BY.values()) for each in find(around))
