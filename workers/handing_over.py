"""A capture's last steps: its file into the store, and with the summary to whoever asked for it."""

import hashlib
import logging
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from workers.ledger.capture import SLACK, TERMINAL
from workers.ledger.states import State
from workers.parcel import Parcel
from workers.pictured import show_context, show_picture
from workers.place import PlaceError
from workers.store_room import has_room, measure
from workers.trail.stored_hash import ANNOUNCED_AGAIN
from workers.work import Ended, Work

log = logging.getLogger(__name__)

_T = TypeVar("_T")

_DELIVERED = "file delivered"

_HAND_OVER_SECONDS = 600.0
_LONGEST_PAUSE = 20.0

_FROM_BEFORE = "The file holds the packets from before that."
_UNKEPT = "podcap's store did not take the file ({}), so podcap keeps no copy of it."
_NO_CONTEXT = (
    "What was around the pods is not here: the worker that looked at it ended, and another one took the "
    "capture over."
)
_NO_NAME = re.compile(r"[^A-Za-z0-9.-]+")


def store_and_hand_over(work: Work, parcel: Parcel, *, stored: Callable[[], None]) -> None:
    """Stores the file, hands it over with its summary, and ends the capture.

    Args:
        work: The capture, summarised.
        parcel: Its file, and what is said of it.
        stored: Called once the file is safe: in the store, or where there is none, handed over.

    Raises:
        Ended: The capture broke off, or store or place did not take the file.
        IllegalMoveError: Somebody else has ended the capture, or has it.
    """
    path = parcel.path
    unkept = _announce(work, path) or _store(work, path)
    is_safe = work.capture.stored_at is not None
    if is_safe:
        stored()
    _hand_over(work, parcel, unkept)
    if not is_safe:
        stored()
    if unkept is not None:
        work.say(unkept)
    _finish(work)


def fetched(work: Work) -> Path | None:
    """What an earlier worker has stored; None where that is not there, or not as the ledger has it."""
    capture, store = work.capture, work.services.store
    if store is None or capture.file_url is None:
        return None
    name = capture.file_url.rpartition("/")[2]
    path = work.folder / f"stored{Path(name).suffix}"
    try:
        if _fetch(work, store.read(name), path) != capture.file_sha256:
            log.warning("the stored file is not the one that was captured")
            return None
    except OSError as error:
        log.warning("the stored file cannot be read: %s", error)
        return None
    return path


def hand_over_stored(work: Work, parcel: Parcel) -> None:
    """Hands over what is stored already, and ends the capture; otherwise as `store_and_hand_over`."""
    _hand_over(work, parcel, None)
    _finish(work)


def _fetch(work: Work, blocks: Iterator[bytes], path: Path) -> str:
    """Writes the blocks into a file; its SHA-256."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for block in blocks:
            work.refuse_if_leaving()
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def _finish(work: Work) -> None:
    capture = work.capture
    # Of several taps some may have broken off; only when all have there is a sentence.
    if capture.ended_by in ("error", "lost") and capture.sentence is not None:
        raise Ended(State.FAILED, f"{capture.sentence} {_FROM_BEFORE}")
    work.move(State.STOPPED if capture.stop_requested_by else State.DELIVERED)


def file_name(work: Work, path: Path) -> str:
    """The capture file's name, wherever it lies: `cap-7f3k9q_traefik_cheddar-….pcapng`."""
    capture = work.capture
    # A file system takes 255 bytes, a pod's name may have 253; labels and kinds have signs of their own.
    what = _NO_NAME.sub("-", capture.pod)[:150]
    return "_".join(filter(None, (capture.id, capture.namespace, what))) + path.suffix


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
    if work.has_reached(State.DELIVERING):
        return _announced_before(work, digest.hexdigest())
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


def _announced_before(work: Work, sha256: str) -> str | None:
    """By the worker before; why the file is not kept, if it is not."""
    if work.capture.file_sha256 != sha256:
        # What names the addresses had may be others by now, or another version of podcap wrote it.
        work.record(ANNOUNCED_AGAIN, {"file_sha256": sha256}, file_sha256=sha256)
    if work.services.store is None or work.capture.file_url is not None:
        return None
    return _UNKEPT.format("it did not take it before")


def _store(work: Work, path: Path) -> str | None:
    """Keeps the file; returns why it could not be kept, in one sentence. It goes on to its thread anyway."""
    store = work.services.store
    if store is None:
        return None
    work.refuse_if_leaving()
    work.refuse_if_lost()
    unkept = None
    try:
        store.put(path, file_name(work, path))
    except OSError as error:
        log.warning("the store does not take the file: %s", error)
        work.note(file_url=None, file_bytes=None)
        unkept = _UNKEPT.format(error.strerror or error)
    else:
        work.note(stored_at=work.services.ledger.clock())
    measure(work.services)
    return unkept


def _hand_over(work: Work, parcel: Parcel, unkept: str | None) -> None:
    """Summary and file; what an earlier worker has said or delivered, the report does not repeat."""
    capture, report = work.capture, work.report
    path, said = parcel.path, parcel.said
    try:
        if capture.full:
            refused = _patiently(work, lambda: work.services.place.payload_refusal(capture))
            if refused is not None:
                raise Ended(State.FAILED, f"{refused}{_kept(work, path, unkept)}")
        if isinstance(said, str):
            _patiently(work, lambda: report.say(capture, said))
        else:
            _patiently(work, lambda: report.show_summary(capture, said))
            show_picture(work, said)
        if parcel.told:
            _patiently(work, lambda: report.show_told(capture, parcel.told))
        if parcel.context is not None:
            show_context(work, parcel.context)
        elif work.lease.takeover and capture.origin == SLACK and capture.context_id is None:
            work.say(_NO_CONTEXT)
        where = _patiently(work, lambda: report.deliver(capture, path, file_name(work, path)))
    except PlaceError as error:
        sentence = f"The packets were captured, but: {error}{_kept(work, path, unkept)}"
        raise Ended(State.FAILED, sentence) from error
    if not work.has_recorded(_DELIVERED):
        name = file_name(work, path)
        work.record(_DELIVERED, {"sha256": work.capture.file_sha256, "name": name, "where": where})


def _patiently(work: Work, report: Callable[[], _T]) -> _T:
    """Tries for some minutes; a place that fails by itself must not cost anybody their packets."""
    until, pause = time.monotonic() + _HAND_OVER_SECONDS, 1.0
    while True:
        work.refuse_if_leaving()
        work.refuse_if_lost()
        try:
            return report()
        except PlaceError as error:
            if not error.passing or time.monotonic() > until:
                raise
            log.warning("tried again soon: %s", error)
        work.services.leaving.wait(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _kept(work: Work, path: Path, unkept: str | None) -> str:
    if unkept is not None:
        return f" {unkept}"
    return "" if work.services.store is None else f" What was captured is kept as `{file_name(work, path)}`."
