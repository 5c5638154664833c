"""From the spools of several taps to one file, one summary and one delivery.

Each tap's packets are cut to what was asked for and to what came after the common beginning, and summarised
by themselves; then all become one file, and what they say one summary.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from workers.beside import handed
from workers.beside.found import found
from workers.beside.log_lines import log_lines
from workers.cluster.errors import ClusterError
from workers.cluster.snapshot import take_endpoints
from workers.cut.file import CutError, cut_file
from workers.handing_over import fetched, hand_over_stored, store_and_hand_over
from workers.known import Of, context
from workers.ledger.states import State
from workers.ledger.tap_record import TapRecord, TapState
from workers.names.names import Names
from workers.names.snapshot import Node, Snapshot
from workers.packaging import comment, snapshot_of
from workers.parcel import Parcel, Told
from workers.pcapng.about import About
from workers.pcapng.file import PcapngError, merged_file
from workers.pcapng.own_file import OwnFileError
from workers.pcapng.read_back import read_back_each
from workers.service_truth.findings.found import without_said
from workers.several.combined import combined
from workers.several.compared import Together, of_its_own, seen_elsewhere, tables, together
from workers.several.findings import frames_of, joined, noted
from workers.several.frames import merged_frames
from workers.several.part import Part
from workers.several.same_requests import where_they_arrived
from workers.spool.report import EndedBy
from workers.summarised import summarised
from workers.summary.endpoint import Endpoint
from workers.summary.finding import Finding
from workers.summary.summarise import SummaryError
from workers.taps import together as taken
from workers.taps.around import Found
from workers.taps.crew import Crew
from workers.taps.together import none_left
from workers.taps.way import TapWay
from workers.vantage.comparison import Comparison
from workers.vantage.findings.explained import without_explained
from workers.work import Ended, Work

log = logging.getLogger(__name__)

_ENDPOINTS_SECONDS = 5.0

_CHILDREN = 2
"""Processes that read packets at once: each may take a processor and a gigabyte."""

_WORST: tuple[EndedBy, ...] = ("error", "lost", "bytes", "packets", "stopped", "duration")

_UNREAD = "The capture file is there, its summary is not: the packets of none of its taps could be read."
_PLAIN = "A plain pcap file cannot tell taps apart, so the file is pcapng."


def deliver(
    work: Work,
    taps: taken.Together,
    founds: Mapping[int, Found],
    crew: Crew,
    *,
    stored: Callable[[], None],
) -> None:
    """Merges and summarises what the taps have, stores the file and hands it over; ends the capture.

    Args:
        work: The capture, of which everything is here that will be.
        taps: Its taps.
        founds: What was around their pods, by the taps' numbers.
        crew: Who works at them.
        stored: Called once the file is safe: in the store, or where there is none, handed over.

    Raises:
        Ended: No tap has packets that may be kept, or store or place did not take the file.
        IllegalMoveError: Somebody else has ended the capture, or has it.
    """
    work.advance(State.COLLECTING)
    _refuse_if_none(taps.left, taps)
    work.advance(State.SUMMARISING, **_known(taps.left))
    parts = [part for part in crew.each(lambda way: _part(work, way), taps.left, most=_CHILDREN) if part]
    _refuse_if_none(parts, taps)
    work.note(packets=sum(part.record.packets or 0 for part in parts))
    work.report.show_taps(work.capture, taps.records())
    path = _merged(work, parts)
    if work.capture.pcap:
        work.say(_PLAIN)
    store_and_hand_over(work, _parcel(work, parts, path, founds, crew), stored=stored)


def deliver_stored(work: Work, records: Sequence[TapRecord], crew: Crew) -> bool:
    """Hands over what an earlier worker has stored, summarised anew; ends the capture.

    Returns:
        Whether the file was in the store as the ledger has it; else nothing was done.

    Raises:
        Ended: As `deliver`.
        IllegalMoveError: Somebody else has ended the capture, or has it.
    """
    path = fetched(work)
    if path is None:
        return False
    parts = [
        Part(record, work.folder / f"tap-{record.number}.pcap")
        for record in records
        if record.state is TapState.COLLECTED
    ]
    try:
        _read_back(path, [part.path for part in parts])
    except (OSError, OwnFileError) as error:
        log.warning("the stored file cannot be read: %s", error)
        return False
    hand_over_stored(work, _parcel(work, parts, path, {}, crew))
    return True


def _read_back(path: Path, targets: Sequence[Path]) -> None:
    files = [target.open("wb") for target in targets]
    try:
        with path.open("rb") as source:
            read_back_each(source, files)
    finally:
        for file in files:
            file.close()


def _refuse_if_none(found: Sequence[object], taps: taken.Together) -> None:
    if not found:
        said = none_left(way.record.sentence or "" for way in taps.ways)
        raise Ended(State.FAILED, f"{said} No packet had arrived by then.")


def _known(ways: Sequence[TapWay]) -> dict[str, Any]:
    """What the ledger is to know of all of them; the rest is in their rows."""
    records = [way.record for way in ways]
    ended = {record.ended_by for record in records}
    known: dict[str, Any] = {
        "packets": sum(record.packets or 0 for record in records),
        "bytes": sum(record.bytes or 0 for record in records),
        "dropped": sum(record.dropped or 0 for record in records),
        "ended_by": next((one for one in _WORST if one in ended), None),
    }
    if ended <= {"error", "lost"}:
        known["sentence"] = none_left(record.sentence or "" for record in records)
    return known


def _part(work: Work, way: TapWay) -> Part | None:
    """A tap's packets as they may be kept; None where they may not."""
    path = work.folder / f"tap-{way.record.number}.pcap"
    try:
        cut = cut_file(way.raw, path, since=way.record.began or 0, whole=work.capture.full)
    except CutError as error:
        sentence = f"{error} So nothing of them is kept."
        way.record = work.note_tap(way.record, state=TapState.FAILED, sentence=sentence)
        return None
    finally:
        way.raw.unlink()  # at once, not at the end: storing and uploading take their time
    way.record = work.note_tap(way.record, packets=cut.packets)
    return Part(way.record, path, way.compiled, way.report, way.seen)


def _merged(work: Work, parts: Sequence[Part]) -> Path:
    """The one file of all taps."""
    snapshot = snapshot_of(work)
    target = work.folder / "merged.pcapng"
    about = About(comment=comment(work.capture), application=f"podcap {version('podcap')}")
    addresses = dict.fromkeys(address for part in parts for address in part.record.addresses)
    hosts = Names(snapshot).hosts(addresses)
    try:
        merged_file(
            [part.path for part in parts],
            target,
            replace(about, hosts=hosts),
            [_about(work, part, snapshot) for part in parts],
        )
    except PcapngError as error:
        raise Ended(State.FAILED, f"{error} So nothing of them is kept.") from error
    return target


def _about(work: Work, part: Part, snapshot: Snapshot) -> About:
    """What the file says of one tap's interface."""
    record, report = part.record, part.report
    node = next((each for each in snapshot.nodes if each.name == record.node), Node(record.node or ""))
    return About(
        comment=comment(work.capture),
        application="",
        interface=record.interface or "",
        description=f"{record.name} on {record.node}",
        filter=part.compiled,
        hardware=node.machine,
        system=node.system,
        received=None if report is None else report.packets_received_by_filter,
        dropped=record.dropped,
        began=record.began,
    )


def _parcel(work: Work, parts: Sequence[Part], path: Path, founds: Mapping[int, Found], crew: Crew) -> Parcel:
    """The file, with the summary of all of them."""
    snapshot = snapshot_of(work)
    read = crew.each(lambda part: _summarised(work, part, snapshot), parts, most=_CHILDREN)
    summaries = [part.summary for part in read if part.summary is not None]
    if not summaries:
        return Parcel(path, _UNREAD)
    work.note(bytes=sum(summary.totals.bytes for summary in summaries))
    endpoints = partial(_endpoints, work)
    told = together(path, read, snapshot, seconds=work.capture.seconds, endpoints=endpoints)
    named = Names(snapshot)
    numbered = {number: part.record.number for number, part in enumerate(read)}
    whole = handed.around(founds, numbered, [part.summary for part in read], snapshot, told.comparison)
    findings = _findings(read, path, told, named, found(whole))
    summarised_ones = [number for number, part in enumerate(read) if part.summary is not None]
    elsewhere = {
        (summarised_ones.index(number), ends)
        for number, ends in seen_elsewhere(told.comparison)
        if number in summarised_ones
    }
    said = combined(summaries, findings, elsewhere)
    replicas = [Endpoint(one.address, one.port) for truth in told.truths for one in truth.replicas]
    ends = dict.fromkeys((*(end for flow in said.flows for end in (flow.a, flow.b)), *replicas))
    notes = (*_noted(read), *snapshot.notes, *told.notes, *_notes(read))
    said = replace(said, names=named.table(ends), notes=notes, services=told.truths)
    besides = Told(tables(told.truths, named), log_lines(whole))
    return Parcel(path, said, besides, handed.context_file(work, whole))


def _summarised(work: Work, part: Part, snapshot: Snapshot) -> Part:
    record = part.record
    names = part.path.with_suffix(".json")
    of = Of(record.namespace, record.pod, record.dropped, record.ended_by)
    names.write_text(json.dumps(context(work, snapshot, of, part.seen).to_json()))
    try:
        summary = summarised(
            part.path, payload=work.capture.full, names=names, seen=part.seen, wanted=work.capture.filter
        )
    except SummaryError as error:
        # The packets are worth more than what podcap can say about them.
        log.warning("no summary of %s: %s", record.name, error)
        return part
    finally:
        names.unlink()
    return replace(part, summary=summary)


def _endpoints(work: Work, namespaces: Sequence[str]) -> Snapshot | None:
    """Those of now; None where the cluster does not tell."""
    try:
        with work.services.cluster() as cluster:
            return take_endpoints(cluster, namespaces, seconds=_ENDPOINTS_SECONDS)
    except ClusterError as error:
        log.warning("endpoints were not asked for again: %s", error)
        return None


def _findings(
    parts: Sequence[Part], path: Path, told: Together, named: Names, beside: Sequence[Finding]
) -> tuple[Finding, ...]:
    """All of them; of what was rewritten, what is said of the Service is said once."""
    comparison = told.comparison or Comparison()
    between = comparison.findings
    own = [without_said(of_its_own(part), told.services) for part in parts]
    explained = [without_explained(some, tap, comparison) for tap, some in enumerate(own)]
    each, before = where_they_arrived(explained, [part.summary for part in parts], comparison)
    between = without_said(between, told.services, told.truths, named)
    names = [part.record.name for part in parts]
    try:
        frames = merged_frames(path, {number: frames_of(some) for number, some in enumerate(each)})
    except OwnFileError:
        frames = {}
    return joined(names, each, frames, [*told.services, *between, *beside], before)


def _noted(parts: Sequence[Part]) -> tuple[str, ...]:
    there = [(part.record.name, part.summary.notes) for part in parts if part.summary is not None]
    return noted([name for name, _ in there], [notes for _, notes in there])


def _notes(parts: Sequence[Part]) -> list[str]:
    unread = [part.record.name for part in parts if part.summary is None]
    began = [part.record.began for part in parts if part.record.began is not None]
    notes = [f"Not summarised: {', '.join(unread)}."] if unread else []
    if len(began) > 1:
        apart = (max(began) - min(began)) / 1e6
        notes.append(f"All taps began within {apart:.1f} ms, by their nodes' clocks.")
    return notes
