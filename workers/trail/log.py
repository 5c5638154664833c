"""What is done with an entry of the trail once it is committed, by the process that did.

It is a line of the log when a setting says so, and whoever listens hears of it.
"""

import json
import logging
from collections.abc import Callable

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


_listeners: list[Callable[[Entry], None]] = []


def listen(listener: Callable[[Entry], None]) -> None:
    """From now on `listener` hears of each entry that this process commits, in the thread that did."""
    _listeners.append(listener)


def say(entry: Entry) -> None:
    """Writes a committed entry, when that is on; its facts are an object, its hash stands last.

    What a listener raises is logged: the entry stands, and the work goes on.
    """
    for listener in _listeners:
        try:
            listener(entry)
        except Exception:
            logging.getLogger(__name__).exception("an entry of the trail was not heard")
    if _log.isEnabledFor(logging.INFO):
        _log.info("%s", json.dumps({"trail": entry._asdict() | {"facts": entry.known()}}))
