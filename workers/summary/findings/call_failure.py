"""Errors that databases and brokers answered. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from workers.summary.endpoint import Endpoint
from workers.summary.exchange import Group
from workers.summary.finding import Evidence, Finding
from workers.summary.findings import filters, wording

ID = "call-failure"

_ORDINARY = {
    # Redirections of a cluster, and the answer to a script's digest that is not loaded yet.
    "Redis": frozenset(("MOVED", "ASK", "NOSCRIPT")),
    # What clients use on purpose: unique violations (INSERT or UPDATE), serialization failures to be retried.
    "PostgreSQL": frozenset(("23505", "40001")),
    "Kafka": frozenset(("UNKNOWN_TOPIC_OR_PARTITION", "NOT_LEADER_OR_FOLLOWER", "REBALANCE_IN_PROGRESS")),
}
MANY_ORDINARY = 20
"""Times from which on also an error that clients know how to handle is worth a word."""

_WHY = {
    "OOM": "its memory limit is reached",
    "NOAUTH": "the client did not log in",
    "WRONGPASS": "the password is wrong",
    "READONLY": "it is a replica, which takes no writes",
    "LOADING": "it is still loading its data",
    "MISCONF": "it cannot write its data to disk",
    "CLUSTERDOWN": "its cluster is not whole",
    "53300": "it has no connection left",
    "28P01": "the password is wrong",
    "57P03": "it is starting or stopping",
    "53100": "its disk is full",
    "42P01": "there is no such table",
    "25006": "it is a replica, which takes no writes",
    "40P01": "there was a deadlock",
}
_GRAVE = frozenset(("OOM", "NOAUTH", "WRONGPASS", "READONLY", "LOADING", "MISCONF", "CLUSTERDOWN"))
# PostgreSQL, appendix A: connection, authorization, resources, operator, system and internal errors.
_GRAVE_CLASSES = ("08", "28", "53", "57", "58", "XX")
_SHOWN = {
    "Redis": ("resp", "resp.error"),
    "PostgreSQL": ("pgsql", "pgsql.code"),
    "Kafka": ("kafka", "kafka.error != 0"),
}


def find(evidence: Evidence) -> Iterator[Finding]:
    """One for each server and error."""
    found: dict[tuple[str, Endpoint, str], list[Group]] = defaultdict(list)
    calls: Counter[Endpoint] = Counter()
    for group in evidence.summary.groups:
        if group.protocol in _ORDINARY:
            calls[group.server] += group.times
            if group.failed and group.answer != "no answer":
                found[group.protocol, group.server, group.answer].append(group)
    for (service, server, error), groups in found.items():
        times = sum(group.times for group in groups)
        if error in _ORDINARY[service] and times < MANY_ORDINARY:
            continue
        asked: Counter[str] = Counter()
        for group in groups:
            asked[wording.quoted(group.asked)] += group.times
        first = min(group.frame for group in groups)
        grave = error in _GRAVE or (service == "PostgreSQL" and error.startswith(_GRAVE_CLASSES))
        why = f": {_WHY[error]}" if error in _WHY else ""
        yield Finding(
            ID,
            "critical" if grave else "warning",
            f"{service} at {wording.server(evidence.names, server)} answered {wording.quoted(error)} to "
            f"{times:,} of "
            f"{wording.many(calls[server], 'call')}, {wording.some(asked)}{why}.",
            {
                "times": times,
                "calls": calls[server],
                "service": service,
                "error": error,
                "address": str(server),
            },
            filters.answered(first, *_SHOWN[service], server),
            first,
            f"Look up that error in the documentation of {service}, and read the log of both ends.",
        )
