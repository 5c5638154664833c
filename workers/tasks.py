"""The Celery tasks: each takes ids and calls the work."""

from functools import cache

from celery.signals import beat_init, worker_init

from workers.capture import run
from workers.housekeeping import keep_house
from workers.logs import about
from workers.pulse import Pulse
from workers.queue import (
    ASK_TO_KEEP_STORE,
    HOUSEKEEPING,
    KEEP_STORE,
    RUN_CAPTURE,
    app,
    ask_to_keep_store,
)
from workers.queueing import advance
from workers.retention import keep_store
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


@app.task(name=ASK_TO_KEEP_STORE)  # type: ignore[untyped-decorator]
def ask_for_store_round() -> None:
    """Has some worker keep the store; beat calls it."""
    ask_to_keep_store()


@app.task(name=KEEP_STORE)  # type: ignore[untyped-decorator]
def store_round() -> None:
    """One round where the store is."""
    keep_store(_services())
