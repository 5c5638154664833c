"""The article's cluster in a few lines: a pod behind a NodePort, a client that its node hides."""

from typing import Any

from workers.cluster.pod import Pod, Port
from workers.names import snapshot
from workers.names.snapshot import Node, Snapshot
from workers.pod_logs.access import access
from workers.pod_logs.pod_log import LogLine, PodLog
from workers.summary.endpoint import Endpoint
from workers.summary.event import Event
from workers.summary.exchange import HttpExchange
from workers.summary.summary import Summary, Totals
from workers.surroundings.policies import Policy
from workers.surroundings.surroundings import Surroundings
from workers.surroundings.tracked import Tracked

FIRST = 1_795_461_600 * 10**9  # 2026-11-23 19:20:00 UTC
CLIENT = Endpoint("192.168.1.35", 51234)
NODE_PORT = Endpoint("192.168.1.12", 32604)
GATEWAY = "10.244.1.1"
SERVER = Endpoint("10.244.1.3", 80)
POD = Pod(
    "traefik",
    "cheddar-1",
    "u1",
    "Running",
    node="k8s-node01",
    ips=(SERVER.address,),
    ports=(Port(80, "TCP", "http"),),
    labels={"app": "cheddar"},
    containers={"cheese": "c1"},
)
CLUSTER = Snapshot(
    pods=(
        snapshot.Pod("traefik", "cheddar-1", "k8s-node01", (SERVER.address,), labels={"app": "cheddar"}),
        snapshot.Pod("shop", "shopper", "k8s-node02", ("10.244.2.9",), labels={"app": "shopper"}),
    ),
    nodes=(
        Node("k8s-node01", ("192.168.1.11",), ("10.244.1.0/24",)),
        Node("k8s-node02", ("192.168.1.12",), ("10.244.2.0/24",)),
    ),
)


def tracked(port: int = 40001, client: Endpoint = CLIENT, seen: str = GATEWAY) -> Tracked:
    return Tracked("tcp", "TIME_WAIT", client, NODE_PORT, SERVER, Endpoint(seen, port))


def around(at: float = 0, **what: Any) -> Surroundings:
    return Surroundings("traefik", "cheddar-1", "u1", FIRST + int(at * 1e9), **what)


def line(at: float, client: str = GATEWAY, path: str = "/", agent: str = "curl/8.5.0") -> LogLine:
    text = f'{client} - - [23/Nov/2026:19:20:01 +0000] "GET {path} HTTP/1.1" 200 42 "-" "{agent}"'
    return LogLine(FIRST + int(at * 1e9), "cheese", text, access(text))


def log(*lines: LogLine, notes: tuple[str, ...] = ()) -> PodLog:
    return PodLog("traefik", "cheddar-1", lines, notes)


def asked(start: float, port: int = 40001, client: str = GATEWAY, path: str = "/") -> HttpExchange:
    return HttpExchange(Endpoint(client, port), SERVER, 7, start, "GET", "shop", path, 200, 0.01)


def summary(*exchanges: HttpExchange, events: tuple[Event, ...] = (), **what: Any) -> Summary:
    return Summary(
        Totals(9, 900, FIRST, FIRST + 10**10), (), payload=True, exchanges=exchanges, events=events, **what
    )


def policy(**spec: Any) -> Policy:
    return Policy("traefik", "web", spec)
