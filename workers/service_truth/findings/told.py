"""Words and filters that findings about Services have in common. Pure."""

from collections import Counter
from collections.abc import Iterable

from workers.names.names import Names
from workers.service_truth.truth import Reached, ServiceTruth
from workers.summary.endpoint import Endpoint
from workers.summary.findings import filters, wording
from workers.thread.words import count


def service(truth: ServiceTruth) -> str:
    """`` Service `traefik/cheddar` ``."""
    return f"Service {wording.quoted(truth.name)}"


def clients(names: Names, rows: Iterable[Reached]) -> str:
    """Whose the connections are, the busiest first."""
    counted: Counter[str] = Counter()
    for row in rows:
        counted[wording.host(names, row.client)] += row.connections
    return wording.some(counted)


def entries(rows: Iterable[Reached]) -> str:
    """The nodes at which they came in."""
    counted: Counter[str] = Counter()
    for row in rows:
        counted[wording.quoted(row.entry)] += row.connections
    return wording.some(counted)


def connections(number: int) -> str:
    """`1 connection`, `20 connections`."""
    return count(number, "connection")


def way(truth: ServiceTruth, row: Reached) -> str:
    """A display filter: the connections of a row on both sides of the node that rewrites them."""
    protocol = truth.port.protocol.lower()
    port = next((each.port for each in truth.replicas if each.address == row.replica), truth.port.number)
    behind = _between(row.seen or row.client, Endpoint(row.replica, port), protocol)
    if not row.front:
        return behind
    before = _between(row.client, Endpoint.parse(row.front), protocol)
    return before if before == behind else f"({before}) || ({behind})"


def knocking(truth: ServiceTruth, client: str, front: str) -> str:
    """A display filter: the connections of a client to a front door."""
    return _between(client, Endpoint.parse(front), truth.port.protocol.lower())


def arriving(truth: ServiceTruth, client: str, replicas: Iterable[str]) -> str:
    """A display filter: the connections of a client to replicas."""
    port = {each.address: each.port for each in truth.replicas}
    met = [Endpoint(each, port.get(each, truth.port.number)) for each in replicas]
    found = [_between(client, each, truth.port.protocol.lower()) for each in met[: filters.MOST]]
    return found[0] if len(found) == 1 else " || ".join(f"({each})" for each in found)


def from_frame(frame: int | None, condition: str) -> str:
    """From a frame of the merged file on, where one is known."""
    return condition if frame is None else filters.from_frame(frame, f"({condition})")


def _between(client: str, server: Endpoint, protocol: str) -> str:
    ends = dict.fromkeys((filters.address(client), filters.address(server.address)))
    return " && ".join([*ends, f"{protocol}.port == {server.port}"])
