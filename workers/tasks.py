"""The Celery tasks: each takes ids and calls the work."""

from functools import cache

from workers.capture import run
from workers.housekeeping import keep_house
from workers.queue import HOUSEKEEPING, RUN_CAPTURE, app
from workers.services import Services, open_services


@cache
def _services() -> Services:
    return open_services()


@app.task(name=RUN_CAPTURE)  # type: ignore[untyped-decorator]
def run_capture(capture_id: str) -> None:
    """Makes one capture, from its place in the queue to its end."""
    run(_services(), capture_id)


@app.task(name=HOUSEKEEPING)  # type: ignore[untyped-decorator]
def housekeeping() -> None:
    """One round of housekeeping; beat calls it."""
    keep_house(_services())
