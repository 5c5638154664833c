"""The Celery tasks: each takes ids and calls the work."""

from functools import cache

from celery.signals import beat_init, worker_init

from workers.capture import run
from workers.housekeeping import keep_house
from workers.logs import about
from workers.pulse import Pulse
from workers.queue import HOUSEKEEPING, RUN_CAPTURE, app
from workers.queueing import advance
from workers.services import Services, open_services
from workers.settings import SettingsError

_PULSE = Pulse()


@cache
def _services() -> Services:
    return open_services()


@worker_init.connect  # type: ignore[untyped-decorator]
def _open_worker(**_: object) -> None:
    _open_or_exit("PODCAP_AGENT_IMAGE")


@beat_init.connect  # type: ignore[untyped-decorator]
def _open_beat(**_: object) -> None:
    _open_or_exit()


def _open_or_exit(*required: str) -> None:
    """Opens everything at the process's start: the policy's names mean what they mean then."""
    try:
        services = _services()
        for name in required:
            services.settings.required(name)
    except SettingsError as error:
        raise SystemExit(str(error)) from None


@app.task(name=RUN_CAPTURE)  # type: ignore[untyped-decorator]
def run_capture(capture_id: str) -> None:
    """Makes one capture, from its place in the queue to its end, which makes room for the next in line."""
    with about(capture_id):
        run(_services(), capture_id)
    advance(_services())


@app.task(name=HOUSEKEEPING)  # type: ignore[untyped-decorator]
def housekeeping() -> None:
    """One round of housekeeping; beat calls it."""
    keep_house(_services(), _PULSE)
