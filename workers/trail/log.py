"""The trail in the log: one line a committed entry, off unless a setting says so."""

import json
import logging

from workers.trail.entry import Entry

_log = logging.getLogger("podcap.trail")
_log.setLevel(logging.WARNING)


def write_to_log() -> None:
    """From now on this process writes each entry that it commits to standard error, as JSON alone."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    _log.handlers = [handler]
    _log.propagate = False
    _log.setLevel(logging.INFO)


def say(entry: Entry) -> None:
    """Writes a committed entry, when that is on; its facts are an object, its hash stands last."""
    if _log.isEnabledFor(logging.INFO):
        _log.info("%s", json.dumps({"trail": entry._asdict() | {"facts": entry.known()}}))
