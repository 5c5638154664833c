"""The log: one record a line on standard error, with the id of the capture it is about.

`about` says which capture a block of code is at; every line written in it, by podcap or by a library, bears
its id. A thread that a block starts says so for itself. A line is JSON, or plain text where a person at a
terminal reads along:

    {"time": "2026-01-31T09:30:00.123Z", "level": "INFO", "process": "worker", "logger": "workers.work",
     "message": "tapping", "capture": "cap-7f3k9q"}
"""

import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from workers.masking import mask
from workers.settings import SettingsError, load

_TEXT = "%(asctime)s %(levelname)s %(name)s %(about)s%(message)s"
_capture: ContextVar[str | None] = ContextVar("capture", default=None)


@contextmanager
def about(capture_id: str) -> Iterator[None]:
    """Every line that this thread logs in the block is about this capture."""
    token = _capture.set(capture_id)
    try:
        yield
    finally:
        _capture.reset(token)


def set_up_logs(process: str) -> None:
    """Sends this process's logs to standard error, as PODCAP_LOG_FORMAT says; called once at its start.

    Args:
        process: Its name in every line: `bot`, `worker` or `beat`.
    """
    try:
        settings = load()
    except SettingsError:
        # Whoever needs them ends the process with that sentence, which shows no value.
        form = "auto"
        secrets: tuple[str, ...] = ()
    else:
        form, secrets = settings.log_format, settings.secrets()
    handler = logging.StreamHandler()
    handler.addFilter(_note_capture)
    plain = form == "text" or (form == "auto" and sys.stderr.isatty())
    handler.setFormatter(_Text(secrets) if plain else _Json(process, secrets))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    threading.excepthook = _died
    # One line for every HTTP request of a client library drowns the rest.
    for name in ("httpx", "urllib3", "kubernetes", "alembic", "celery.beat"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # What was not signed by Slack is logged there whole, whatever it holds.
    logging.getLogger("slack_bolt.RequestVerification").setLevel(logging.WARNING)
    # Each failed try is an ERROR there; podcap says once what came of them.
    for name in ("slack_sdk.web.base_client", "slack_sdk.webhook.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _note_capture(record: logging.LogRecord) -> bool:
    capture = _capture.get() or _of_celery(record)
    record.capture = capture
    record.about = f"[{capture}] " if capture else ""
    return True


def _of_celery(record: logging.LogRecord) -> str | None:
    """Celery names the task; a capture's task has the capture's id."""
    task = getattr(record, "data", None)
    name = task.get("id") if isinstance(task, dict) else None
    return name if isinstance(name, str) and name.startswith("cap-") else None


class _Text(logging.Formatter):
    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__(_TEXT)
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record), self._secrets)


class _Json(logging.Formatter):
    def __init__(self, process: str, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self._process = process
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "process": self._process,
            "logger": record.name,
            "message": mask(record.getMessage(), self._secrets),
        }
        if capture := getattr(record, "capture", None):
            line["capture"] = capture
        if record.exc_info:
            line["exception"] = mask(self.formatException(record.exc_info), self._secrets)
        return json.dumps(line, ensure_ascii=False)


def _died(what: threading.ExceptHookArgs) -> None:
    name = what.thread.name if what.thread else "?"
    error = (what.exc_type, what.exc_value or what.exc_type(), what.exc_traceback)
    logging.getLogger(__name__).error("the thread %s died", name, exc_info=error)
