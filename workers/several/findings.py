"""The findings of several taps as those of one capture: each said once, with where it was found. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from workers.several.same_requests import Before
from workers.summary.finding import Finding
from workers.summary.findings import nothing_captured
from workers.summary.findings.ranking import MORE, ranked
from workers.thread.words import count

_FRAME = re.compile(r"frame\.number (==|>=) (\d+)")
_MOST_NAMED = 3
_HEALTHY = "healthy"

Frames = Mapping[tuple[int, int], int]
"""The frame in the merged file, by interface and number in the tap's own file."""


def frames_of(findings: Iterable[Finding]) -> set[int]:
    """Every frame that findings of one tap name."""
    found: set[int] = set()
    for finding in findings:
        found |= {int(number) for _, number in _FRAME.findall(finding.display_filter)}
        if finding.frame is not None:
            found.add(finding.frame)
        found |= {packet.frame for packet in finding.packets}
    return found


def joined(
    names: Sequence[str],
    findings: Sequence[Sequence[Finding]],
    frames: Frames,
    later: Iterable[Finding] = (),
    before: Before = MappingProxyType({}),
) -> tuple[Finding, ...]:
    """The findings of all taps, ranked; their frames and display filters are those of the merged file.

    Args:
        names: What each tap is called, by the number of its interface.
        findings: What was found at each.
        frames: Where their frames are in the merged file.
        later: What is found of all taps together, in the merged file's terms already.
        before: Which taps saw the requests of some of them before they arrived.
    """
    found: dict[tuple[str, str], list[tuple[int, Finding]]] = {}
    for number, some in enumerate(findings):
        for finding in some:
            if finding.id != MORE:
                found.setdefault((finding.id, finding.sentence), []).append((number, finding))
    together = [*later]
    for (id_, sentence), places in found.items():
        if id_ != _HEALTHY:
            passed = [names[number] for number in before.get((id_, sentence), ())]
            together.append(_said_once(names, places, frames, passed))
    grave = any(each.severity != "info" for each in together)
    if not grave:
        together += _healthy(
            names, [place for key, at in found.items() if key[0] == _HEALTHY for place in at]
        )
    return ranked(together)


def noted(names: Sequence[str], notes: Sequence[Iterable[str]]) -> tuple[str, ...]:
    """The notes of all taps, each once, with where it holds unless that is everywhere."""
    places: dict[str, dict[str, None]] = {}
    for name, some in zip(names, notes, strict=True):
        for note in some:
            places.setdefault(note, {})[name] = None
    return tuple(
        note if len(where) == len(names) else f"At {_some(list(where))}: {note}"
        for note, where in places.items()
    )


def _healthy(names: Sequence[str], places: Sequence[tuple[int, Finding]]) -> Iterator[Finding]:
    """One for all taps that had anything to judge by."""
    if len(places) == 1:
        yield _said_once(names, places, {})
    elif places:
        packets = sum(int(finding.numbers["packets"]) for _, finding in places)
        where = "all taps" if len(places) == len(names) else f"{len(places):,} taps"
        rest = len(names) - len(places)
        others = f"; {count(rest, 'other')} had nothing to judge by" if rest else ""
        yield replace(
            places[0][1],
            sentence=f"This capture looks healthy at {where}: nothing is amiss in their "
            f"{count(packets, 'packet')}, nor between them{others}.",
            numbers={"packets": packets, "taps": len(places)},
        )


def _said_once(
    names: Sequence[str], places: Sequence[tuple[int, Finding]], frames: Frames, passed: Sequence[str] = ()
) -> Finding:
    first_number, first = places[0]
    numbers = dict.fromkeys(number for number, _ in places)
    return replace(
        first,
        sentence=_at(first, [names[n] for n in numbers], passed, everywhere=len(numbers) == len(names)),
        frame=None if first.frame is None else frames.get((first_number, first.frame)),
        display_filter=_filter(first.display_filter, list(numbers), first_number, frames),
        packets=tuple(
            replace(packet, frame=frames[first_number, packet.frame])
            for packet in first.packets
            if (first_number, packet.frame) in frames
        ),
    )


def _at(finding: Finding, names: Sequence[str], passed: Sequence[str], *, everywhere: bool) -> str:
    sentence = finding.sentence
    if everywhere:
        # Of one interface, which the sentence does not name.
        return (
            f"At each tap: {sentence}" if finding.id == nothing_captured.ID and len(names) > 1 else sentence
        )
    also = f", and the same requests at {_some(passed)}" if passed else ""
    return f"At {_some(names)}{also}: {sentence}"


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def _filter(text: str, numbers: Sequence[int], first: int, frames: Frames) -> str:
    """The display filter for the merged file, where the interface tells the taps apart."""
    if not text:
        return ""
    missing = False

    def moved(match: "re.Match[str]") -> str:
        nonlocal missing
        frame = frames.get((first, int(match[2])))
        missing = missing or frame is None
        return f"frame.number {match[1]} {frame}"

    text = _FRAME.sub(moved, text)
    if missing:
        return ""
    where = (
        f"frame.interface_id == {numbers[0]}"
        if len(numbers) == 1
        else f"frame.interface_id in {{{', '.join(map(str, numbers))}}}"
    )
    return f"{where} && ({text})"
