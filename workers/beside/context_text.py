"""The context file: all that is known beside the packets, as text to be read. Pure.

Everything of it comes from other people's hands: control characters are made visible, and it holds no secret
that podcap can tell (`workers.pod_logs.redacted`).
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from workers.beside.beside import Around, Beside
from workers.pod_logs.aligned import Aligned
from workers.pod_logs.moment import clock
from workers.pod_logs.pod_log import LogLine
from workers.surroundings.kernel_counters import WORDS
from workers.surroundings.pod_state import PodState
from workers.surroundings.policies import Direction
from workers.surroundings.policy_text import rules_text
from workers.surroundings.surroundings import Surroundings
from workers.thread.words import count

_ABOUT = (
    "What was around {which} pod when its capture began and when it ended, and what it logged meanwhile. "
    "Times are UTC, by the clock of {which} pod's node."
)
_MOST_TRACKED, _MOST_OTHERS = 200, 50
_DIRECTIONS: Sequence[Direction] = ("Ingress", "Egress")


def context_text(title: str, around: Around) -> str:
    """The file's text.

    Args:
        title: What was captured and when, in one line.
        around: What is beside its packets.
    """
    lines = [
        title,
        _ABOUT.format(which="each" if len(around.besides) > 1 else "the"),
    ]
    for each in around.besides:
        lines += ["", *_pod(around, each)]
    return "".join(f"{_visible(line).rstrip()}\n" for line in lines)


def _pod(around: Around, each: Beside) -> Iterator[str]:
    where = f" on node {each.pod.node}" if each.pod.node else ""
    heading = f"{each.name}{where}, {', '.join(each.pod.ips)}"
    yield heading
    yield "=" * len(heading)
    first, last = each.before, each.after
    if first is not None and last is not None:
        yield f"Looked at {clock(first.at)} and {clock(last.at)}"
    elif each.latest is not None:
        yield f"Looked at {clock(each.latest.at)} only"
    missing = [said for one in (first, last) if one is not None for said in one.missing]
    for sentence in dict.fromkeys(missing):
        yield f"- {sentence}"
    sections = (
        ("Pod", _state(each)),
        ("Events", _events(each)),
        ("NetworkPolicies that select it", _policies(each)),
        ("Routes", _both(each, "routes")),
        ("Neighbours", _both(each, "neighbours")),
        ("Sockets", _sockets(each)),
        ("What its kernel counted meanwhile", _counters(each)),
        ("What its node tracks of its connections", _tracked(each)),
        ("Log", _log(around, each)),
    )
    for name, body in sections:
        found = list(body)
        if found:
            yield ""
            yield name
            yield from (f"  {line}" for line in found)


def _state(each: Beside) -> Iterator[str]:
    before = each.before.state if each.before is not None else None
    after = each.after.state if each.after is not None else None
    if before is not None and after is not None and before != after:
        yield from (f"at first    {line}" for line in _state_lines(before))
        yield from (f"in the end  {line}" for line in _state_lines(after))
    elif (known := after or before) is not None:
        yield from _state_lines(known)


def _state_lines(state: PodState) -> Iterator[str]:
    conditions = [
        f"{one.type}={one.status}{f' ({one.reason})' if one.reason else ''}" for one in state.conditions
    ]
    yield ", ".join([f"phase {state.phase}", *conditions])
    for one in state.containers:
        ended = f", ended before: {one.ended}" if one.ended else ""
        code = f" (exit code {one.code})" if one.ended and one.code is not None else ""
        when = f" at {clock(one.at)}" if one.ended and one.at is not None else ""
        waits = f", waits: {one.waits}" if one.waits else ""
        yield f"container {one.name}: {count(one.restarts, 'restart')}{ended}{code}{when}{waits}"


def _events(each: Beside) -> Iterator[str]:
    latest = each.latest
    began = each.before.at if each.before is not None else 0
    for event in latest.events if latest is not None else ():
        times = f" ({event.times:,} times)" if event.times > 1 else ""
        mark = "*" if event.last >= began > 0 else " "
        yield f"{mark} {clock(event.last)} {event.kind} {event.reason}{times}: {event.message}"


def _policies(each: Beside) -> Iterator[str]:
    for policy in each.policies:
        yield f"{policy.namespace}/{policy.name}"
        for direction in _DIRECTIONS:
            if direction in policy.directions:
                yield from (f"  {direction.lower()} {rule}" for rule in rules_text(policy, direction))


def _both(each: Beside, name: str) -> Iterator[str]:
    """Lines that are the same at both moments once; `+` and `-` for what came and went."""
    if each.before is None or each.after is None or not _seen(each.before) or not _seen(each.after):
        yield from (f"  {line}" for line in (getattr(each.latest, name) if each.latest is not None else ()))
        return
    first, last = getattr(each.before, name), getattr(each.after, name)
    yield from (f"{' ' if line in last else '-'} {line}" for line in first)
    yield from (f"+ {line}" for line in last if line not in first)


def _seen(around: Surroundings) -> bool:
    return around.sockets is not None


def _sockets(each: Beside) -> Iterator[str]:
    before = each.before.sockets if each.before is not None else None
    after = each.after.sockets if each.after is not None else None
    known = after or before
    if known is None:
        return
    for one in known.listeners:
        waits = "accepted" if one.protocol == "TCP" else "read"
        unit = "connections" if one.protocol == "TCP" else "bytes"
        dropped = f", {one.dropped:,} datagrams dropped so far" if one.dropped else ""
        where = f"[{one.address}]" if ":" in one.address else one.address
        yield f"{one.protocol} {where}:{one.port} listens, {one.queued:,} {unit} not {waits} yet{dropped}"
    states = {**(before.states if before else {}), **(after.states if after else {})}
    for name in states:
        numbers = [f"{sockets.states.get(name, 0):,}" for sockets in (before, after) if sockets is not None]
        yield f"{name}: {' -> '.join(numbers)}"
    for word, field in (
        ("sockets that wait for something they sent again", "waiting"),
        ("bytes not read by the application", "unread"),
        ("bytes not acknowledged by the other end", "unsent"),
    ):
        numbers = [f"{getattr(sockets, field):,}" for sockets in (before, after) if sockets is not None]
        if set(numbers) != {"0"}:
            yield f"{word}: {' -> '.join(numbers)}"


def _counters(each: Beside) -> Iterator[str]:
    """Those that tell of trouble or of connections first, then the others on lines of their own."""
    counted = each.counted
    told = {name: times for name, times in counted.items() if name in WORDS}
    for name in WORDS:
        if name in told:
            yield f"{name} +{told[name]:,}: {WORDS[name]}"
    rest = [f"{name} +{times:,}" for name, times in counted.items() if name not in told]
    for start in range(0, len(rest), 4):
        yield ", ".join(rest[start : start + 4])


def _tracked(each: Beside) -> Iterator[str]:
    known = [one for around in (each.before, each.after) if around is not None for one in around.tracked]
    own = [
        one
        for one in dict.fromkeys(known)
        if {one.client.address, one.server.address, one.answers_from.address} & set(each.pod.ips)
    ]
    # Of one connection the latest state says all.
    latest = {(one.protocol, *one[2:]): one for one in own}.values()
    rewritten = [one for one in latest if one.rewritten]
    yield from (one.text for one in rewritten[:_MOST_TRACKED])
    if len(rewritten) > _MOST_TRACKED:
        yield f"and {len(rewritten) - _MOST_TRACKED:,} more that it rewrites"
    others = Counter(
        f"{one.protocol} {one.client.address} -> {one.server}" for one in latest if not one.rewritten
    )
    for said, times in others.most_common(_MOST_OTHERS):
        yield f"{said}, not rewritten: {count(times, 'connection')}"


def _log(around: Around, each: Beside) -> Iterator[str]:
    if each.log is None:
        return
    yield from (f"- {note}" for note in each.log.notes)
    told = {id(one.line): one for one in around.aligned.get(each.number, ())}
    several = len({line.container for line in each.log.lines}) > 1
    for line in each.log.lines:
        one = told.get(id(line))
        beside = f"   <- {said}" if one is not None and (said := told_of(one, around)) else ""
        yield f"{line_text(line, several=several)}{beside}"
    if not each.log.lines and not each.log.notes:
        yield "It logged nothing."


def line_text(line: LogLine, *, several: bool = False) -> str:
    """`19:20:05.123 GET / …`, with the container's name where a pod has several that log."""
    return f"{clock(line.at)} {f'{line.container}: ' if several else ''}{line.text}"


def told_of(one: Aligned, around: Around) -> str:
    """Who asked, as the packets say: `client 192.168.1.35:51234 (connection tracking of …), frame 12`.

    The frame is that of the tap's own file, so of several taps it is left out.
    """
    if one.peer is None:
        return ""
    frame = (
        f", frame {one.frame:,}"
        if one.frame is not None and one.possible == 1 and len(around.summaries) == 1
        else ""
    )
    if one.origin is not None:
        return f"client {one.origin} ({one.origin.proof}){frame}"
    named = one.line.access.client if one.line.access is not None else ""
    if one.possible > 1:
        return f"one of {one.possible:,} that fit"
    return f"from {one.peer}{frame}" if named != one.peer.address or frame else ""


def _visible(line: str) -> str:
    return "".join("\ufffd" if unicodedata.category(each)[0] == "C" else each for each in line)
