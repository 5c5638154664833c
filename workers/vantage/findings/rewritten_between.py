"""Addresses that were replaced between two vantage points: which became which. Pure."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from workers.summary.finding import Finding
from workers.summary.findings import wording
from workers.thread.words import count
from workers.vantage.findings.between import Between, shown
from workers.vantage.passage import Passage, Stop

ID = "rewritten-between"

_MOST_NAMED = 3


class _Kind(NamedTuple):
    near: int
    far: int
    last: int
    source: bool
    target: bool
    before: str
    after: str


class _Rewriting(NamedTuple):
    passage: Passage
    near: Stop
    far: Stop


def find(between: Between) -> Iterator[Finding]:
    """One for each place that rewrites, each pod behind it, and each destination before and after it."""
    found: dict[_Kind, list[_Rewriting]] = defaultdict(list)
    for passage in between.passages:
        for place, segment in enumerate(passage.segments):
            if segment.source_rewritten or segment.target_rewritten:
                near, far = passage.stops[place], passage.stops[place + 1]
                kind = _Kind(
                    near.vantage,
                    far.vantage,
                    passage.destination.vantage,
                    near.client.address != far.client.address,
                    segment.target_rewritten,
                    between.names.shown(*near.server),
                    between.names.shown(*far.server),
                )
                found[kind].append(_Rewriting(passage, near, far))
    for kind, rewritings in found.items():
        yield _finding(between, kind, rewritings)


def _finding(between: Between, kind: _Kind, rewritings: list[_Rewriting]) -> Finding:
    rewritings = sorted(rewritings, key=lambda each: each.near.first_frame)
    clients = dict.fromkeys((each.near.client.address, each.far.client.address) for each in rewritings)
    first = rewritings[0]
    by = (
        f"node {between.node(kind.near)}"
        if _by_its_node(between, kind, first)
        else f"what is {between.where(kind.near, kind.far)}"
    )
    rewrites = " and ".join(
        (["the source"] if kind.source else [])
        + (
            [f"the destination, {wording.quoted(kind.before)} becomes {wording.quoted(kind.after)}"]
            if kind.target
            else []
        )
        + ([] if kind.source or kind.target else ["the source's port"])
    )
    said = (
        f"{_appear(list(clients), between.vantage(kind.last))}: {by} rewrites {rewrites}"
        if kind.source
        else f"{by[0].upper()}{by[1:]} rewrites {rewrites}"
    )
    return Finding(
        ID,
        "info",
        f"{said}, in {count(len(rewritings), 'connection')}.",
        {
            "times": len(rewritings),
            "clients": len({before for before, _ in clients}),
            "addresses": ", ".join(f"{before} as {after}" for before, after in list(clients)[:_MOST_NAMED]),
            "source": int(kind.source),
            "destination": int(kind.target),
            "before": kind.before,
            "after": kind.after,
        },
        shown(
            first.near.first_frame,
            first.passage.protocol,
            (
                stop
                for each in rewritings
                if each.passage.protocol == first.passage.protocol
                for stop in (each.near, each.far)
            ),
        ),
        first.near.first_frame,
        "Look in the pod's log for the address behind that, and ask the client by the one before.",
    )


def _by_its_node(between: Between, kind: _Kind, first: _Rewriting) -> bool:
    """Whether the node of the first stop rewrites: the next is on it, too, or the new source is its own."""
    own = between.vantages[kind.near]
    return between.one_node(kind.near, kind.far) or (
        kind.source and own.kind == "uplink" and first.far.client.address in own.addresses
    )


def _appear(clients: list[tuple[str, str]], at: str) -> str:
    named = [
        f"`{before}` {'as' if place else f'appears at {at} as'} `{after}`"
        for place, (before, after) in enumerate(clients[:_MOST_NAMED])
    ]
    rest = len(clients) - len(named)
    more = f" and {count(rest, 'other')} likewise" if rest else ""
    return f"Client {', '.join(named)}{more}"
