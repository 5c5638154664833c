"""The taps of a capture of several, as they stand in its message: a line each, or one a node. Pure.

Slack takes 3,000 characters a section, and some 13,000 of all blocks of a message.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from workers.ledger.tap_record import TapKind, TapRecord, TapState
from workers.request.quoting import inert
from workers.thread.words import count, size

MOST_LINES = 25
"""So many taps have a line each."""

_MOST_FAILED = 10
_LONGEST_NAME, _LONGEST_SENTENCE = 120, 200
_SECTION = 2900
_MOST_SECTIONS = 3
_LIMITS = ("bytes", "packets")
_MARKS = {
    TapState.WAITING: ":hourglass_flowing_sand:",
    TapState.READY: ":large_yellow_circle:",
    TapState.CAPTURING: ":red_circle:",
    TapState.COLLECTED: ":white_check_mark:",
    TapState.FAILED: ":x:",
}


def tap_sections(taps: Sequence[TapRecord]) -> list[str]:
    """The taps as texts of sections; none for a capture of one."""
    if len(taps) < 2:  # noqa: PLR2004, one has its own words
        return []
    lines = [_line(tap) for tap in taps] if len(taps) <= MOST_LINES else [*_by_node(taps)]
    sections = [""]
    for line in lines:
        longer = f"{sections[-1]}\n{line}".strip()
        if len(longer) <= _SECTION:
            sections[-1] = longer
        else:
            sections.append(line)
    return sections[:_MOST_SECTIONS]


def taps_taken(taps: Sequence[TapRecord]) -> str:
    """Where packets came from: `at 2 of 3 pods, on 2 nodes`."""
    well = [tap for tap in taps if tap.state is TapState.COLLECTED]
    nodes = count(len({tap.node for tap in well}), "node")
    kinds = {tap.kind for tap in taps}
    noun = "tap" if len(kinds) > 1 else "pod" if kinds == {TapKind.POD} else "uplink"
    of = f"{len(well)} of " if len(well) < len(taps) else ""
    return f"at {of}{count(len(taps), noun)}, on {nodes}"


def where_looked(taps: Sequence[TapRecord]) -> str:
    """What is being found: `the pod's interface on its node`."""
    if len(taps) > 1:
        return "each tap's interface on its node"
    return (
        "the node's uplink" if taps and taps[0].kind is TapKind.UPLINK else "the pod's interface on its node"
    )


def nodes_of(taps: Sequence[TapRecord]) -> str:
    """Where packets come from: `the node`, `the nodes`."""
    return "the nodes" if len({tap.node for tap in taps if tap.node}) > 1 else "the node"


def ended_early(ended_by: str | None, taps: Sequence[TapRecord]) -> str:
    """A sentence where a limit ended it, or some of several taps; else nothing."""
    if len(taps) < 2:  # noqa: PLR2004, one has its own words
        return f"It ended early, at its limit of {ended_by}." if ended_by in _LIMITS else ""
    sentences = []
    for limit in _LIMITS:
        ended = sum(tap.ended_by == limit for tap in taps)
        many = f"All {len(taps)}" if ended == len(taps) else f"{ended} of {len(taps)}"
        if ended:
            whose = "its" if ended == 1 else "their"
            sentences.append(f"{many} taps ended early, at {whose} limit of {limit}.")
    return " ".join(sentences)


def _line(tap: TapRecord) -> str:
    where = f" on `{inert(tap.node)}`" if tap.node and tap.kind is TapKind.POD else ""
    return f"{_MARKS[tap.state]} `{inert(tap.name, limit=_LONGEST_NAME)}`{where}{_came(tap)}"


def _came(tap: TapRecord) -> str:
    if tap.state is TapState.FAILED:
        return f": {inert(tap.sentence or 'it failed', limit=_LONGEST_SENTENCE)}"
    if tap.packets is None:
        return ""
    interface = f" at `{inert(tap.interface)}`" if tap.interface else ""
    lost = f", {tap.dropped:,} dropped" if tap.dropped else ""
    broken = f": {inert(tap.sentence, limit=_LONGEST_SENTENCE)}" if tap.sentence else ""
    return f"{interface}: {count(tap.packets, 'packet')}, {size(tap.bytes or 0)}{lost}{broken}"


def _by_node(taps: Sequence[TapRecord]) -> Iterable[str]:
    nodes: dict[str, list[TapRecord]] = defaultdict(list)
    for tap in taps:
        nodes[tap.node or ""].append(tap)
    for node, some in sorted(nodes.items()):
        well = [tap for tap in some if tap.state is not TapState.FAILED]
        state = min((tap.state for tap in well), key=list(TapState).index, default=TapState.FAILED)
        packets = sum(tap.packets or 0 for tap in well)
        failed = f", {len(some) - len(well)} failed" if len(well) < len(some) else ""
        taken = f": {count(packets, 'packet')}, {size(sum(tap.bytes or 0 for tap in well))}"
        yield (
            f"{_MARKS[state]} `{inert(node, limit=_LONGEST_NAME) or 'no node yet'}`: "
            f"{count(len(some), 'tap')}{failed}{taken if packets else ''}"
        )
    failures = [tap for tap in taps if tap.state is TapState.FAILED]
    yield from (_line(tap) for tap in failures[:_MOST_FAILED])
    if len(failures) > _MOST_FAILED:
        yield f"… and {len(failures) - _MOST_FAILED} more that failed."
