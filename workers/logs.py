"""One line a record on standard error, with the capture's id where there is one."""

import logging

_FORMAT = "%(asctime)s %(levelname)s %(name)s %(capture)s%(message)s"


class _CaptureField(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        capture = getattr(record, "capture", None)
        record.capture = f"[{capture}] " if capture else ""
        return True


def set_up_logs() -> None:
    """Sends this process's logs to standard error; called once at its start."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(_FORMAT))
    handler.addFilter(_CaptureField())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # One line for every HTTP request of a client library drowns the rest.
    for name in ("httpx", "urllib3", "kubernetes", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Each failed try is an ERROR there; podcap says once what came of them.
    for name in ("slack_sdk.web.base_client", "slack_sdk.webhook.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
