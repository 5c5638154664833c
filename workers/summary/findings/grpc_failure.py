"""gRPC calls that failed. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from workers.summary.endpoint import Endpoint
from workers.summary.exchange import HttpExchange
from workers.summary.finding import Evidence, Finding
from workers.summary.findings import filters, wording

ID = "grpc-failure"

# gRPC: Status codes and their use.
_STATUS = {
    1: "CANCELLED",
    2: "UNKNOWN",
    3: "INVALID_ARGUMENT",
    4: "DEADLINE_EXCEEDED",
    5: "NOT_FOUND",
    6: "ALREADY_EXISTS",
    7: "PERMISSION_DENIED",
    8: "RESOURCE_EXHAUSTED",
    9: "FAILED_PRECONDITION",
    10: "ABORTED",
    11: "OUT_OF_RANGE",
    12: "UNIMPLEMENTED",
    13: "INTERNAL",
    14: "UNAVAILABLE",
    15: "DATA_LOSS",
    16: "UNAUTHENTICATED",
}
_SERVERS_FAULT = frozenset((2, 4, 8, 12, 13, 14, 15))
_ORDINARY = frozenset((1, 5, 6, 11))
"""Answers to what was asked, like HTTP's 404, and calls that nobody wanted any more."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """One for each server and status; those that are ordinary answers are left out."""
    found: dict[tuple[Endpoint, int], list[HttpExchange]] = defaultdict(list)
    calls: Counter[Endpoint] = Counter()
    for each in evidence.summary.exchanges:
        if isinstance(each, HttpExchange) and each.grpc_status is not None:
            calls[each.server] += 1
            if each.grpc_status and each.grpc_status not in _ORDINARY:
                found[each.server, each.grpc_status].append(each)
    for (server, status), failed in found.items():
        name = _STATUS.get(status, str(status))
        methods = Counter(wording.quoted(each.path) for each in failed)
        clients = [each.client.address for each in failed]
        pairs = [(each.client, each.server) for each in failed]
        yield Finding(
            ID,
            "critical" if status in _SERVERS_FAULT else "warning",
            f"{wording.server(evidence.names, server)} ended {len(failed):,} of "
            f"{wording.many(calls[server], 'gRPC call')} with {name} ({status}): {wording.some(methods)}, "
            "from "
            f"{wording.hosts(evidence.names, clients)}.",
            {
                "times": len(failed),
                "calls": calls[server],
                "clients": len(set(clients)),
                "status": status,
                "address": str(server),
            },
            filters.from_frame(failed[0].frame, f"tcp.len > 0 && {filters.connections(pairs)}"),
            failed[0].frame,
            "Read the server's log at that time."
            if status in _SERVERS_FAULT
            else "Compare the call with what the server wants: arguments, credentials, state.",
        )
