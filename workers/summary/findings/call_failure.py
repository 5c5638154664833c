"""Errors that databases and brokers answered. Pure."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from workers.summary.endpoint import Endpoint
from workers.summary.exchange import CallExchange, Group
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
    "28000": "it does not let that user in, or not from there",
    "3D000": "there is no such database",
    "42501": "that user may not do so",
    "57014": "it took longer than a timeout allows, or was canceled",
    "57P01": "it is being shut down",
}
_GRAVE = frozenset(("OOM", "NOAUTH", "WRONGPASS", "READONLY", "LOADING", "MISCONF", "CLUSTERDOWN"))
# PostgreSQL, appendix A: connection, authorization, catalog, resources, operator, system and internal errors.
_GRAVE_CLASSES = ("08", "28", "3D", "53", "57P", "58", "XX")
_CREDENTIALS = (
    "Compare the client's Secret with what the server wants; pods take a changed one with a restart."
)
_NEXT = {
    "WRONGPASS": _CREDENTIALS,
    "NOAUTH": _CREDENTIALS,
    "28P01": _CREDENTIALS,
    "28000": "Compare user, database and address of the client with the server's `pg_hba.conf`.",
    "53300": "Look who holds the connections (`pg_stat_activity`), at the clients' pools, `max_connections`.",
    "OOM": "Look at `maxmemory`, its policy (`maxmemory-policy`) and what fills it (`INFO memory`).",
}
_PLAIN = re.compile(r"[A-Z0-9]{1,40}")
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
    clients: dict[tuple[str, Endpoint, str | None], list[str]] = defaultdict(list)
    for each in evidence.summary.exchanges:
        if isinstance(each, CallExchange) and each.error:
            clients[each.service, each.server, each.error].append(each.client.address)
    for (service, server, error), groups in found.items():
        times = sum(group.times for group in groups)
        code = _code(service, error)
        if code in _ORDINARY[service] and times < MANY_ORDINARY:
            continue
        asked: Counter[str] = Counter()
        for group in groups:
            asked[wording.quoted(group.asked)] += group.times
        first = min(group.frame for group in groups)
        grave = code in _GRAVE or (service == "PostgreSQL" and code.startswith(_GRAVE_CLASSES))
        why = f": {_WHY[code]}" if code in _WHY else ""
        whose = clients[service, server, error]
        callers = Counter(wording.host(evidence.names, one) for one in whose)
        by = f", from {wording.some(callers, numbers=False)}" if whose else ""
        yield Finding(
            ID,
            "critical" if grave else "warning",
            f"{service} at {wording.server(evidence.names, server)} answered {wording.quoted(error)} to "
            f"{times:,} of "
            f"{wording.many(calls[server], 'call')}, {wording.some(asked)}{by}{why}.",
            {
                "times": times,
                "clients": len(set(whose)),
                "calls": calls[server],
                "service": service,
                "error": error,
                "address": str(server),
            },
            filters.answered(first, *_shown(service, code), server),
            first,
            _NEXT.get(
                code, f"Look up that error in the documentation of {service}, and read the log of both ends."
            ),
        )


def _code(service: str, error: str) -> str:
    """`28P01` of PostgreSQL's `FATAL 28P01 (invalid_password)`; of others the error is the code."""
    return error.split(" ")[1] if service == "PostgreSQL" and " " in error else error


def _shown(service: str, code: str) -> tuple[str, str]:
    """What shows such an answer: the error itself, where its code can stand in a filter."""
    protocol, any_error = _SHOWN[service]
    if not _PLAIN.fullmatch(code):
        return protocol, any_error
    if service == "PostgreSQL":
        return protocol, f'pgsql.code == "{code}"'
    return protocol, f'resp.error contains "{code}"' if service == "Redis" else any_error
