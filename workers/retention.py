"""What settings say should be gone goes: files, captures in the ledger, and files that no capture has.

beat removes captures from the ledger; whatever touches the store is done by a worker, because in most
installations nobody else has mounted it, but beat asks for it every minute. Each removal is an entry of the
trail, by beat. The trail's own entries stay for ever: they are what a removed capture is remembered by.
"""

import logging
import re
from datetime import datetime, timedelta
from itertools import islice

from workers.ledger.capture import Capture
from workers.ledger.states import FINAL
from workers.request.since import shown_span
from workers.services import Services
from workers.store import Store
from workers.store_room import measure
from workers.trail.entry import timestamp
from workers.trail.trail import Wanted
from workers.working_folder import sweep

log = logging.getLogger(__name__)

_BY = "beat"
_REASON = "retention"
# What is left is done in the next rounds: a round is over in seconds, whatever has gathered.
_AT_ONCE = 100
_SWEEP_EVERY = timedelta(days=1)
# A file that the store does not remove is an entry of the trail each time it is tried.
_TRY_AGAIN_AFTER = timedelta(days=1)

# What a worker that was killed had written of a file has `.part` behind its name; see `Store.put`.
_FILE = re.compile(r"\.?(?P<capture>cap-[a-z0-9]{6})_.+\.pcap(?:ng)?(?:\.part)?")


def forget_captures(services: Services) -> None:
    """Removes captures that ended before PODCAP_KEEP_CAPTURES from the ledger, once their file is gone."""
    kept = services.settings.keep_captures
    if kept is None:
        return
    archive = services.ledger.archive
    for capture in archive.without_files(services.ledger.clock() - kept, most=_AT_ONCE):
        archive.forget(capture, by=_BY, reason=f"{_REASON}: kept for {shown_span(kept)}")


def keep_store(services: Services) -> None:
    """One round where the store is: what it holds is measured, and what is to go is removed.

    Folders of packets that a killed process left on this machine go, too.
    """
    sweep()
    store = services.store
    if store is None:
        return
    measure(services)
    for capture in services.ledger.archive.unmeasured(most=_AT_ONCE):
        services.ledger.note(capture.id, file_bytes=store.size(_name(capture)))
    _remove_old_files(services, store)
    if services.ledger.archive.claim_sweep(services.ledger.clock(), _SWEEP_EVERY):
        _remove_orphans(services, store)


def _remove_old_files(services: Services, store: Store) -> None:
    spans = [services.settings.keep_files, services.settings.keep_captures]
    kept = min((span for span in spans if span is not None), default=None)
    if kept is None:
        return
    now = services.ledger.clock()
    due = services.ledger.archive.with_files(now - kept)
    for capture in islice((one for one in due if not _failed_lately(services, one, now)), _AT_ONCE):
        facts = {
            "name": _name(capture),
            "sha256": capture.file_sha256,
            "reason": f"{_REASON}: kept for {shown_span(kept)}",
        }
        # Before the file is gone, so that none goes without an entry.
        if not services.ledger.archive.give_up_file(capture, by=_BY, facts=facts):
            continue
        try:
            store.remove(_name(capture))
        except Exception as error:  # noqa: BLE001, every kind of store raises its own
            log.warning("%s cannot be removed from the store: %s", _name(capture), error)
            facts = {"name": _name(capture), "error": str(error)}
            services.ledger.record(
                capture.id, "delete failed", by=_BY, facts=facts, file_url=capture.file_url
            )


def _failed_lately(services: Services, capture: Capture, now: datetime) -> bool:
    wanted = Wanted(capture_id=capture.id, event="delete failed", newest=1)
    since = timestamp(now - _TRY_AGAIN_AFTER)
    return any(entry.at > since for entry in services.ledger.trail.entries(wanted))


def _remove_orphans(services: Services, store: Store) -> None:
    """Removes files of podcap's that no capture has; what the trail never heard of is somebody else's."""
    names = (match for name in store.names() if (match := _FILE.fullmatch(name)))
    while batch := {match[0]: match["capture"] for match in islice(names, _AT_ONCE)}:
        known = services.ledger.archive.known(batch.values())
        for name, capture_id in batch.items():
            if not _has(known.get(capture_id), name) and services.ledger.archive.orphan_deleted(
                capture_id, name, by=_BY
            ):
                log.info("removed a file that no capture has: %s", name)
                store.remove(name)


def _has(capture: Capture | None, name: str) -> bool:
    # One that is under way may be writing it this moment.
    return capture is not None and (capture.state not in FINAL or _name(capture) == name)


def _name(capture: Capture) -> str:
    return (capture.file_url or "").rpartition("/")[2]
