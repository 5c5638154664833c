"""Each request's log line beside its packets, and the address in the log beside who it was. Pure.

A server logs a request when it has answered it. So a line belongs to a request with the same method, path
and status that was answered shortly before; of headers only, to a connection from the logged address that
was open then. Where several are possible, and they do not tell the same of the client, none is claimed.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from workers.pod_logs.access import Access
from workers.pod_logs.pod_log import LogLine, PodLog
from workers.summary.endpoint import Endpoint
from workers.summary.exchange import HttpExchange
from workers.summary.flow import Flow
from workers.summary.protocols.redact import HIDDEN
from workers.summary.summary import Summary

EARLY, LATE = 0.001, 1.5
"""Seconds by which a line may be older than its request, and younger than the answer.

Both have the node's clock, and nobody logs what has not come yet; but some write their logs in bulk."""

CLOSED = 0.05
"""Seconds after its end for which a connection may be the one that is logged as over."""

_SECOND = 1e9


class Origin(NamedTuple):
    """Who a client was whose address was rewritten on its way.

    Attributes:
        address: Its own.
        port: Likewise; None where it is one of several connections from there.
        proof: How that is known: `the same segments at uplink of k8s-node02`.
    """

    address: str
    port: int | None
    proof: str

    def __str__(self) -> str:
        """`192.168.1.35:50122`."""
        return self.address if self.port is None else str(Endpoint(self.address, self.port))


class Aligned(NamedTuple):
    """A line and what it tells of.

    Attributes:
        line: The line, with its request.
        peer: Who the packets came from, as the pod saw it; None when none fit. The likeliest of several.
        frame: Wireshark's number of the question, or of the connection's first packet; None without one.
        exchange: The request, where payload was captured.
        origin: Who the peer was before it was rewritten: proven, and the same for all that fit.
        possible: How many requests or connections fit.
    """

    line: LogLine
    peer: Endpoint | None = None
    frame: int | None = None
    exchange: HttpExchange | None = None
    origin: Origin | None = None
    possible: int = 0

    @property
    def differs(self) -> bool:
        """Whether the log names another client than who it was."""
        named = self.line.access.client if self.line.access is not None else ""
        return bool(named) and self.origin is not None and self.origin.address != named


class _Found(NamedTuple):
    """What of the packets fits a line: peers, the likeliest first, with its frame and exchange."""

    peers: Sequence[Endpoint]
    frame: int | None = None
    exchange: HttpExchange | None = None


def aligned(
    log: PodLog,
    summary: Summary,
    addresses: Collection[str],
    origins: Mapping[Endpoint, Origin] | None = None,
) -> tuple[Aligned, ...]:
    """The log's requests, each with its packets where they are there.

    Args:
        log: The pod's lines.
        summary: Of the pod's own tap, by the same clock.
        addresses: The pod's.
        origins: Who each rewritten peer was, by the address and port that the pod saw.
    """
    first = summary.totals.first
    told = [line for line in log.lines if line.access is not None]
    if first is None:
        return tuple(Aligned(line) for line in told)
    known = origins or {}
    exchanges = _Exchanges(summary, addresses)
    flows = _Flows(summary, addresses)
    found = []
    for line in told:
        moment = (line.at - first) / _SECOND
        fits = exchanges.match(line, moment) or flows.match(line, moment)
        peer = fits.peers[0] if fits.peers else None
        origin = _common([known.get(each) for each in fits.peers])
        found.append(Aligned(line, peer, fits.frame, fits.exchange, origin, len(fits.peers)))
    return tuple(found)


def _common(origins: Sequence[Origin | None]) -> Origin | None:
    """What all of them say."""
    said = [origin for origin in origins if origin is not None]
    if not said or len(said) < len(origins) or len({origin.address for origin in said}) > 1:
        return None
    return said[0] if len(said) == 1 else said[0]._replace(port=None)


class _Exchanges:
    """Requests to the pod, by what their line says of them; each is taken once."""

    def __init__(self, summary: Summary, addresses: Collection[str]) -> None:
        self._open: dict[tuple[str, str], list[HttpExchange]] = {}
        for each in summary.exchanges:
            if isinstance(each, HttpExchange) and each.server.address in addresses:
                self._open.setdefault((each.method, each.path), []).append(each)

    def match(self, line: LogLine, moment: float) -> _Found | None:
        wanted = line.access
        if wanted is None:
            return None
        listed = self._open.get((wanted.method, wanted.path), [])
        fitting = [each for each in listed if _fits(each, wanted, moment)]
        if not fitting:
            return None
        # The log may name another address than the peer's: that of a proxy's header.
        named = [each for each in fitting if each.client.address == wanted.client]
        ordered = sorted(named or fitting, key=lambda each: (_mismatch(each, wanted), each.start))
        best = ordered[0]
        listed.remove(best)
        return _Found([each.client for each in ordered], best.frame, best)


def _fits(each: HttpExchange, wanted: Access, moment: float) -> bool:
    if wanted.status is not None and each.status is not None and wanted.status != each.status:
        return False
    if wanted.port is not None and wanted.client == each.client.address and wanted.port != each.client.port:
        return False
    begun, answered = each.start, each.start + (each.seconds or 0.0)
    # Large answers are logged when the last byte is sent, and what took long is known to.
    longest = LATE + (wanted.seconds or 0.0)
    return begun - EARLY <= moment <= answered + longest


def _mismatch(each: HttpExchange, wanted: Access) -> int:
    return int(wanted.host != "" and each.host not in ("", HIDDEN, wanted.host))


class _Flows:
    """Connections to the pod from each address, for captures of headers only."""

    def __init__(self, summary: Summary, addresses: Collection[str]) -> None:
        self._from: dict[str, list[Flow]] = {}
        for flow in summary.flows:
            client, server = flow.ends
            if flow.protocol == "TCP" and server.address in addresses and _carries(flow):
                self._from.setdefault(client.address, []).append(flow)
        for flows in self._from.values():
            flows.sort(key=lambda flow: flow.start)

    def match(self, line: LogLine, moment: float) -> _Found:
        wanted = line.access
        listed = self._from.get(wanted.client, []) if wanted is not None else []
        fitting = [flow for flow in _begun(listed, moment) if flow.start + flow.duration + LATE >= moment]
        if wanted is not None and wanted.port is not None:
            fitting = [flow for flow in fitting if flow.ends[0].port == wanted.port]
        # Of one that had ended before, a line would have come sooner.
        open_then = [flow for flow in fitting if flow.start + flow.duration + CLOSED >= moment] or fitting
        latest = open_then[::-1]
        return _Found([flow.ends[0] for flow in latest], latest[0].first_frame if latest else None)


def _carries(flow: Flow) -> bool:
    return bool(flow.payload_ab and flow.payload_ba)


def _begun(flows: Sequence[Flow], moment: float) -> Iterator[Flow]:
    """Those that had begun, the last two hundred of them."""
    end = bisect_right(flows, moment + EARLY, key=lambda flow: flow.start)
    begin = max(bisect_left(flows, 0.0, key=lambda flow: flow.start), end - 200)
    yield from flows[begin:end]
