"""Whether `sessionAffinity: ClientIP` was kept: each client, at each node, at one replica. Pure.

kube-proxy remembers a client's replica on each node by itself, for each port of a Service by itself
(Kubernetes issue 103000) and, in its IPVS mode, for each address that was asked: only what came by one node
to one address and port is held against each other. The memory is renewed by each new connection, so a client
may land elsewhere once it has opened none for `timeoutSeconds`. Whoever asks a pod itself has no affinity,
and what a node has rewritten before anybody saw it has no client.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

from workers.service_truth.truth import UNKNOWN, Bound, Kept, Reached

AT_ONCE = 10_000_000
"""Nanoseconds within which two new connections may both be a client's first one."""


def bounds(
    rows: Iterable[Reached],
    seconds: int,
    choices: "Choices",
    pods: Collection[str],
    changed: Collection[str],
) -> tuple[Bound, ...]:
    """One for each client at each node it came in at, breaches first.

    Args:
        rows: Of one Service's port.
        seconds: The affinity's timeout.
        choices: How many endpoints kube-proxy could choose from.
        pods: Addresses of the cluster's pods.
        changed: Addresses of endpoints that came or went while it was captured.
    """
    found: dict[tuple[str, str, str, str], list[Reached]] = defaultdict(list)
    for row in rows:
        if row.opened:
            found[row.client, row.entry, row.front, row.clock].append(row)
    told = [
        _bound(key[:3], sorted(met, key=lambda row: row.first), seconds, choices, pods, changed)
        for key, met in found.items()
    ]
    order = ("broken", "excused", "kept", "untested", "unknown")
    return tuple(sorted(told, key=lambda each: (order.index(each.kept), -each.connections, each.client)))


class Choices:
    """How many ready endpoints kube-proxy chooses from, for a client by the node it came in at."""

    def __init__(
        self, everywhere: int, at: dict[str, int], *, external_local: bool, internal_local: bool
    ) -> None:
        self._everywhere = everywhere
        self._at = at
        self._local = {True: external_local, False: internal_local}

    def count(self, entry: str, *, external: bool) -> int:
        """Those of the whole cluster, or with the policy `Local` those of the node."""
        return self._at.get(entry, 0) if self._local[external] else self._everywhere


def _bound(
    key: tuple[str, ...],
    rows: Sequence[Reached],
    seconds: int,
    choices: Choices,
    pods: Collection[str],
    changed: Collection[str],
) -> Bound:
    client, entry, front = key
    replicas = tuple(dict.fromkeys(row.replica for row in rows))
    times = sum(row.opened for row in rows)

    def told(kept: Kept, apart: float = 0.0) -> Bound:
        return Bound(client, entry, front, replicas, times, kept, apart)

    is_unseen = client in pods and not all(row.proven for row in rows)
    if client == UNKNOWN or not entry or is_unseen:
        return told("unknown")
    if len(replicas) > 1:
        apart = _breach(rows, seconds)
        if apart is not None:
            return told("excused" if changed else "broken", apart)
        return told("kept" if _are_apart(rows, seconds) else "unknown")
    choice = choices.count(entry, external=client not in pods)
    return told("kept" if times > 1 and choice > 1 else "untested")


def _breach(rows: Sequence[Reached], seconds: int) -> float | None:
    """Seconds between a connection to one replica and the next known one that went to another too soon.

    Of each replica's connections the first and the last are known, and each of them binds the client for
    the timeout.
    """
    found = [
        start - bound
        for one in rows
        for other in rows
        if one.replica != other.replica
        for bound in (one.first, one.last)
        for start in (other.first, other.last)
        if AT_ONCE < start - bound < seconds * 1_000_000_000
    ]
    return min(found) / 1e9 if found else None


def _are_apart(rows: Sequence[Reached], seconds: int) -> bool:
    """Whether each replica's turn began when the timeout after the one before was over; by `first`."""
    return all(
        late.replica == early.replica or late.first - early.last >= seconds * 1_000_000_000
        for early, late in pairwise(rows)
    )
