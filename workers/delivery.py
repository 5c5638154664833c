"""From a collected spool to a file and a summary where the capture was asked for."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from workers.beside import handed
from workers.beside.found import found
from workers.beside.log_lines import log_lines
from workers.cut.file import CutError, cut_file
from workers.handing_over import fetched, hand_over_stored, store_and_hand_over
from workers.known import context_file
from workers.ledger.states import State
from workers.packaging import named, packaged, snapshot_of
from workers.parcel import Parcel, Told
from workers.pcapng.read_back import ReadBackError, read_back
from workers.spool.report import SpoolReport
from workers.summarised import summarised
from workers.summary.findings.ranking import joined
from workers.summary.summarise import SummaryError
from workers.summary.summary import Summary
from workers.tap.proof import Watched
from workers.taps.around import Found
from workers.work import Ended, Work

log = logging.getLogger(__name__)


def deliver(
    work: Work,
    raw: Path,
    report: SpoolReport,
    seen: Watched | None,
    founds: Mapping[int, Found] = MappingProxyType({}),
    *,
    stored: Callable[[], None],
) -> None:
    """Summarises the spool, stores the capture file and hands both over; ends the capture.

    One that broke off ends as failed all the same, with its file in its thread.

    Args:
        work: The capture, collected at least as far as `raw` goes.
        raw: The spool.
        report: How it ended.
        seen: What the node counted meanwhile, where that is known.
        founds: What was around its pod.
        stored: Called once the file is safe: in the store, or where there is none, handed over.

    Raises:
        Ended: The capture broke off, or store or place did not take the file.
        IllegalMoveError: Somebody else has ended the capture, or has it.
    """
    work.advance(State.COLLECTING)
    if report.partial and not report.packets_captured:
        raise Ended(State.FAILED, f"{report.error} No packet had arrived by then.")
    known: dict[str, Any] = {
        "packets": report.packets_captured,
        "bytes": report.bytes,
        "dropped": report.packets_dropped_by_kernel,
        "ended_by": report.ended_by,
        "spool_sha256": report.sha256,
    }
    if report.partial:
        # It is shown at the end, by whichever worker comes so far.
        known["sentence"] = report.error
    work.advance(State.SUMMARISING, **known)
    path = _headers_only(raw) if not work.capture.full else raw
    said = _summarised(work, path, seen)
    told, context = Told(), None
    if not isinstance(said, str):
        whole = handed.around(founds, {0: 0}, [said], snapshot_of(work))
        said = replace(said, findings=joined(said.findings, found(whole)))
        told, context = Told(logs=log_lines(whole)), handed.context_file(work, whole)
    path, said = packaged(work, path, report, said)
    store_and_hand_over(work, Parcel(path, said, told, context), stored=stored)


def deliver_stored(work: Work) -> bool:
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
    try:
        packets = _as_pcap(path)
    except (OSError, ReadBackError) as error:
        log.warning("the stored file cannot be read: %s", error)
        return False
    hand_over_stored(work, Parcel(path, named(work, _summarised(work, packets, None))))
    return True


def _as_pcap(path: Path) -> Path:
    """The same packets as pcap, which the summary is made of."""
    if path.suffix != ".pcapng":
        return path
    target = path.with_suffix(".pcap")
    with path.open("rb") as source, target.open("wb") as sink:
        read_back(source, sink)
    return target


def _headers_only(raw: Path) -> Path:
    path = raw.with_name("headers.pcap")
    try:
        cut_file(raw, path)
    except CutError as error:
        raise Ended(State.FAILED, f"{error} So nothing of them is kept.") from error
    finally:
        raw.unlink()  # at once, not at the end: storing and uploading take their time
    return path


def _summarised(work: Work, path: Path, seen: Watched | None) -> Summary | str:
    """The summary, or the sentence that says why there is none."""
    try:
        summary = summarised(
            path,
            payload=work.capture.full,
            names=context_file(work, seen),
            seen=seen,
            wanted=work.capture.filter,
        )
    except SummaryError as error:
        # The packets are worth more than what podcap can say about them.
        log.warning("no summary: %s", error)
        return f"The capture file is there, its summary is not. {error}"
    # What passed on the wire, as the flows count it; the spool has its own headers besides.
    work.note(bytes=summary.totals.bytes)
    return summary
