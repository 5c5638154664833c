"""From a collected spool to a file and a summary in the thread."""

import hashlib
import logging
from pathlib import Path

from workers.ledger.states import State
from workers.policy.channel import payload_forbidden_in
from workers.slack.errors import FAULTS, reason
from workers.spool.report import SpoolReport
from workers.summary.headers import cut
from workers.summary.summarise import SummaryError, summarise
from workers.summary.summary import Summary
from workers.summary.table import flow_table, said_lines
from workers.thread.messages import Message, thread_message
from workers.thread.words import count
from workers.work import Ended, Work

log = logging.getLogger(__name__)

_HEADERS_ONLY = "Headers only: what HTTP, DNS and TLS said needs `full`, where the policy allows it."


def deliver(work: Work, raw: Path, report: SpoolReport) -> None:
    """Summarises the spool, stores the capture file and puts both into the thread; ends the capture.

    Raises:
        Ended: Store or Slack did not take the file.
        IllegalMoveError: Somebody else has ended the capture.
    """
    work.move(
        State.SUMMARISING,
        packets=report.packets_captured,
        bytes=report.bytes,
        dropped=report.packets_dropped_by_kernel,
        ended_by=report.ended_by,
        spool_sha256=report.sha256,
    )
    path = _headers_only(raw) if not work.capture.full else raw
    message = _summarised(work, path)
    _store(work, path)
    work.move(State.DELIVERING)
    _put_into_thread(work, path, message)
    work.move(State.STOPPED if work.capture.stop_requested_by else State.DELIVERED)


def file_name(work: Work) -> str:
    """The capture file's name, in the store and in the thread: `cap-7f3k9q_traefik_cheddar-….pcap`."""
    capture = work.capture
    # A file system takes 255 bytes, a pod's name may have 253.
    return f"{capture.id}_{capture.namespace}_{capture.pod[:150]}.pcap"


def _headers_only(raw: Path) -> Path:
    path = raw.with_name("headers.pcap")
    with raw.open("rb") as source, path.open("wb") as target:
        cut(source, target)
    return path


def _summarised(work: Work, path: Path) -> Message:
    try:
        summary = summarise(path, payload=work.capture.full)
    except SummaryError as error:
        # The packets are worth more than what podcap can say about them.
        log.warning("no summary: %s", error, extra={"capture": work.capture.id})
        return thread_message(f"The capture file is there, its summary is not: {error}", "", [], [])
    # What passed on the wire, as the flows count it; the spool has its own headers besides.
    work.note(bytes=summary.totals.bytes)
    return _summary_message(summary, full=work.capture.full)


def _summary_message(summary: Summary, *, full: bool) -> Message:
    notes = [*summary.notes, *([] if full else [_HEADERS_ONLY])]
    if summary.totals.packets == 0:
        return thread_message("*No packet* passed that the filter lets through.", "", [], notes)
    title = f"*{count(len(summary.flows), 'flow')}*, the busiest first"
    return thread_message(title, flow_table(summary), said_lines(summary), notes)


def _store(work: Work, path: Path) -> None:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    try:
        url = work.services.store.put(path, file_name(work))
    except OSError as error:
        sentence = f"The capture file could not be stored ({error.strerror or error}): ask again when it can."
        raise Ended(State.FAILED, sentence) from error
    work.note(file_sha256=digest.hexdigest(), file_url=url)


def _put_into_thread(work: Work, path: Path, message: Message) -> None:
    capture = work.capture
    try:
        _recheck_channel(work)
        work.thread.reply(capture, message)
        comment = f"The packets of `{capture.id}`, for Wireshark."
        work.capture = work.thread.deliver(capture, path, file_name(work), comment)
    except FAULTS as error:
        sentence = f"The packets were captured and are kept as `{file_name(work)}`, but: {reason(error)}"
        raise Ended(State.FAILED, sentence) from error


def _recheck_channel(work: Work) -> None:
    """The channel may have been shared with another organization while packets were captured."""
    if not work.capture.full:
        return
    forbidden = payload_forbidden_in(work.services.directory.channel(work.capture.channel_id))
    if forbidden is not None:
        raise Ended(State.FAILED, f"{forbidden} What was captured is kept as `{file_name(work)}`.")
