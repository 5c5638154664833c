"""From a collected spool to a file and a summary where the capture was asked for."""

import hashlib
import logging
from dataclasses import replace
from pathlib import Path

from workers.cut.file import CutError, cut_file
from workers.heart import WORKER
from workers.ledger.capture import TERMINAL
from workers.ledger.states import State
from workers.packaging import packaged
from workers.place import PlaceError
from workers.spool.report import SpoolReport
from workers.store_room import has_room, measure
from workers.summary.summarise import SummaryError, summarise
from workers.summary.summary import Summary
from workers.tap.proof import Watched
from workers.work import Ended, Work

log = logging.getLogger(__name__)

_FROM_BEFORE = "The file holds the packets from before that."
_UNKEPT = "podcap's store did not take the file ({}), so podcap keeps no copy of it."


def deliver(work: Work, raw: Path, report: SpoolReport, seen: Watched | None) -> None:
    """Summarises the spool, stores the capture file and hands both over; ends the capture.

    One that broke off ends as failed all the same, with its file in its thread.

    Raises:
        Ended: The capture broke off, or store or place did not take the file.
        IllegalMoveError: Somebody else has ended the capture.
    """
    if work.capture.state is State.CAPTURING:
        work.move(State.COLLECTING)
    if report.partial and not report.packets_captured:
        raise Ended(State.FAILED, f"{report.error} No packet had arrived by then.")
    work.move(
        State.SUMMARISING,
        packets=report.packets_captured,
        bytes=report.bytes,
        dropped=report.packets_dropped_by_kernel,
        ended_by=report.ended_by,
        spool_sha256=report.sha256,
    )
    path = _headers_only(raw) if not work.capture.full else raw
    said = _summarised(work, path)
    if seen is not None and not isinstance(said, str):
        said = replace(said, notes=(*said.notes, *seen.notes(said, work.capture.filter)))
    path, said = packaged(work, path, report, said)
    unkept = _announce(work, path) or _store(work, path)
    _hand_over(work, path, said, unkept)
    if unkept is not None:
        work.say(unkept)
    if report.partial:
        raise Ended(State.FAILED, f"{report.error} {_FROM_BEFORE}")
    work.move(State.STOPPED if work.capture.stop_requested_by else State.DELIVERED)


def file_name(work: Work, path: Path) -> str:
    """The capture file's name, wherever it lies: `cap-7f3k9q_traefik_cheddar-….pcapng`."""
    capture = work.capture
    # A file system takes 255 bytes, a pod's name may have 253.
    return f"{capture.id}_{capture.namespace}_{capture.pod[:150]}{path.suffix}"


def _headers_only(raw: Path) -> Path:
    path = raw.with_name("headers.pcap")
    try:
        cut_file(raw, path)
    except CutError as error:
        raise Ended(State.FAILED, f"{error} So nothing of them is kept.") from error
    finally:
        raw.unlink()  # at once, not at the end: storing and uploading take their time
    return path


def _summarised(work: Work, path: Path) -> Summary | str:
    """The summary, or the sentence that says why there is none."""
    try:
        summary = summarise(path, payload=work.capture.full)
    except SummaryError as error:
        # The packets are worth more than what podcap can say about them.
        log.warning("no summary: %s", error)
        return f"The capture file is there, its summary is not: {error}"
    # What passed on the wire, as the flows count it; the spool has its own headers besides.
    work.note(bytes=summary.totals.bytes)
    return summary


def _announce(work: Work, path: Path) -> str | None:
    """Writes down which file goes where before any byte of it leaves: what follows may break off anywhere.

    Returns:
        Why the store will not have it, in one sentence; None when it will, or there is no store.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    name, store, size = file_name(work, path), work.services.store, path.stat().st_size
    full = store is not None and not has_room(work.services, size)
    keeping = store is not None and not full
    work.move(
        State.DELIVERING,
        trail={"name": name, "destination": work.capture.channel_id or TERMINAL},
        file_sha256=digest.hexdigest(),
        file_url=store.url(name) if store is not None and keeping else None,
        file_bytes=size if keeping else None,
    )
    return _UNKEPT.format("it is full") if full else None


def _store(work: Work, path: Path) -> str | None:
    """Keeps the file; returns why it could not be kept, in one sentence. It goes on to its thread anyway."""
    store = work.services.store
    if store is None:
        return None
    unkept = None
    try:
        store.put(path, file_name(work, path))
    except OSError as error:
        log.warning("the store does not take the file: %s", error)
        work.note(file_url=None, file_bytes=None)
        unkept = _UNKEPT.format(error.strerror or error)
    measure(work.services)
    return unkept


def _hand_over(work: Work, path: Path, said: Summary | str, unkept: str | None) -> None:
    capture, report = work.capture, work.report
    try:
        refused = work.services.place.payload_refusal(capture) if capture.full else None
        if refused is not None:
            raise Ended(State.FAILED, f"{refused}{_kept(work, path, unkept)}")
        if isinstance(said, str):
            report.say(capture, said)
        else:
            report.show_summary(capture, said)
        where = report.deliver(capture, path, file_name(work, path))
    except PlaceError as error:
        sentence = f"The packets were captured, but: {error}{_kept(work, path, unkept)}"
        raise Ended(State.FAILED, sentence) from error
    delivered = {"sha256": work.capture.file_sha256, "name": file_name(work, path), "where": where}
    work.services.ledger.record(capture.id, "file delivered", by=WORKER, facts=delivered)


def _kept(work: Work, path: Path, unkept: str | None) -> str:
    if unkept is not None:
        return f" {unkept}"
    return "" if work.services.store is None else f" What was captured is kept as `{file_name(work, path)}`."
