"""The summaries of several taps as one: each flow once, times from the first packet of all. Pure.

A connection between two tapped pods passes both taps. Its packets are counted at each, its flow and what was
said in it are taken from the tap that saw most of it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from math import ceil
from typing import TypeVar

from workers.summary.endpoint import Endpoint
from workers.summary.exchange import Exchange
from workers.summary.finding import Finding
from workers.summary.host import Host
from workers.summary.summary import Summary, Totals
from workers.summary.timeline import MOST_BINS, Timeline

_ROUNDING = 1e-6
_COUNTED = ("packets", "bytes", "tcp", "udp", "icmp", "icmpv6", "arp", "fragments", "other")
_Pair = frozenset[Endpoint]
Ends = tuple[int, _Pair]
"""The number of a summary, and both ends of a connection in it."""

_T = TypeVar("_T")
_Read = Callable[[Timeline], Sequence[int]]


def combined(
    summaries: Sequence[Summary],
    findings: Iterable[Finding] = (),
    elsewhere: Collection[Ends] = frozenset(),
) -> Summary:
    """One summary of several taps.

    Args:
        summaries: Of each tap's own file, with whole flows or digests; at least one.
        findings: Those of all of them together.
        elsewhere: Connections of a summary, by its number, that another one has under other addresses.
    """
    shifts = _shifts(summaries)
    best = _best(summaries)
    count = sum(summary.flow_count for summary in summaries)
    there = sum(len(summary.flows) for summary in summaries)
    flows = [
        flow._replace(start=flow.start + shift)
        for number, (summary, shift) in enumerate(zip(summaries, shifts, strict=True))
        for flow in summary.flows
        if best[flow.protocol, frozenset((flow.a, flow.b))] == number
        and (number, frozenset((flow.a, flow.b))) not in elsewhere
    ]
    exchanges = [
        exchange._replace(start=exchange.start + shift)
        for number, (summary, shift) in enumerate(zip(summaries, shifts, strict=True))
        for exchange in summary.exchanges
        if _is_best(best, exchange, number)
        and (number, frozenset((exchange.client, exchange.server))) not in elsewhere
    ]
    counts: dict[str, int] = {}
    for summary in summaries:
        for kind, times in summary.event_counts.items():
            counts[kind] = counts.get(kind, 0) + times
    return Summary(
        _totals(summaries),
        tuple(sorted(flows, key=lambda flow: (flow.protocol, flow.start))),
        payload=any(summary.payload for summary in summaries),
        exchanges=tuple(sorted(exchanges, key=lambda each: each.start)),
        notes=_once(note for summary in summaries for note in summary.notes),
        event_counts=counts,
        timeline=_timeline([summary.timeline for summary in summaries], shifts),
        hosts=_hosts(summaries),
        findings=tuple(findings),
        counted_by="podcap" if all(each.counted_by == "podcap" for each in summaries) else "tshark",
        flow_count=count - (there - len(flows)),
        names={key: name for summary in summaries for key, name in summary.names.items()},
    )


def _shifts(summaries: Sequence[Summary]) -> list[float]:
    """How many seconds after the first packet of all each tap's first one came."""
    begins = [each.totals.first for each in summaries if each.totals.first is not None]
    first = min(begins, default=0)
    return [((each.totals.first or first) - first) / 1e9 for each in summaries]


def _best(summaries: Sequence[Summary]) -> dict[tuple[str, _Pair], int]:
    """Which tap saw most of each flow."""
    most: dict[tuple[str, _Pair], tuple[int, int]] = {}
    for number, summary in enumerate(summaries):
        for flow in summary.flows:
            key = flow.protocol, frozenset((flow.a, flow.b))
            if key not in most or flow.packets > most[key][0]:
                most[key] = flow.packets, number
    return {key: number for key, (_, number) in most.items()}


def _is_best(best: Mapping[tuple[str, _Pair], int], exchange: Exchange, number: int) -> bool:
    """One whose flow is not there, in a digest, is taken where it is."""
    pair = frozenset((exchange.client, exchange.server))
    there = [best[protocol, pair] for protocol in ("TCP", "UDP") if (protocol, pair) in best]
    return not there or number in there


def _totals(summaries: Sequence[Summary]) -> Totals:
    sums = {name: sum(getattr(each.totals, name) for each in summaries) for name in _COUNTED}
    first = [each.totals.first for each in summaries if each.totals.first is not None]
    last = [each.totals.last for each in summaries if each.totals.last is not None]
    return Totals(**sums, first=min(first, default=None), last=max(last, default=None))


def _once(values: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(values))


def _hosts(summaries: Sequence[Summary]) -> dict[str, Host]:
    """Of an address at several taps, what the one that saw most of it counted."""
    found: dict[str, Host] = {}
    for summary in summaries:
        for address, host in summary.hosts.items():
            if address not in found or sum(host) > sum(found[address]):
                found[address] = host
    return found


def _timeline(lines: Sequence[Timeline | None], shifts: Sequence[float]) -> Timeline | None:
    """All of them in bins of one width."""
    given = [(line, shift) for line, shift in zip(lines, shifts, strict=True) if line is not None]
    if not given:
        return None
    width = max(line.width for line, _ in given)
    end = max(shift + line.width * len(line.packets) for line, shift in given)
    while end / width > MOST_BINS:
        width *= 2
    # What rounding would put behind the last bin is in it.
    bins = max(1, ceil(end / width - _ROUNDING))
    kinds = _once(kind for line, _ in given for kind in line.marks)

    def summed(read: _Read) -> tuple[int, ...]:
        total = [0] * bins
        for line, shift in given:
            for place, number in enumerate(read(line)):
                total[min(bins - 1, int((shift + place * line.width) / width))] += number
        return tuple(total)

    return Timeline(
        width,
        summed(lambda one: one.packets),
        summed(lambda one: one.to_server),
        summed(lambda one: one.to_client),
        summed(lambda one: one.other),
        {kind: summed(partial(_marks, kind)) for kind in kinds},
    )


def _marks(kind: str, line: Timeline) -> Sequence[int]:
    return line.marks.get(kind, ())
