"""The Celery tasks: each takes ids and calls the work."""

import atexit
import signal
from functools import cache

from celery.signals import beat_init, worker_init, worker_ready, worker_shutting_down

from workers.alive import SIGNS
from workers.arenas import share_arenas
from workers.capture import run
from workers.housekeeping import expect_rounds, keep_house
from workers.leaving import Leaver
from workers.ledger.readiness import why_unready
from workers.logs import about
from workers.metrics import REGISTRY
from workers.probes import by_path, probes, serve_probes
from workers.pulse import Pulse
from workers.queue import (
    ASK_TO_KEEP_STORE,
    HOUSEKEEPING,
    KEEP_STORE,
    RUN_CAPTURE,
    app,
    ask_to_keep_store,
)
from workers.queueing import advance, enqueue
from workers.retention import keep_store
from workers.services import Services, open_services
from workers.settings import SettingsError
from workers.telemetry import measure

_PULSE = Pulse()


@cache
def _services() -> Services:
    return open_services()


@cache
def _leaver() -> Leaver:
    services = _services()
    return Leaver(services, publish=lambda capture: enqueue(services, capture))


@worker_init.connect  # type: ignore[untyped-decorator]
def _open_worker(**_: object) -> None:
    share_arenas()
    _open_or_exit("PODCAP_AGENT_IMAGE")
    _tell_of_itself()
    _leaver().start()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _leave(how: str = "", **_: object) -> None:
    _leaver().ask(at_once=how == "Cold")


@worker_ready.connect  # type: ignore[untyped-decorator]
def _leave_at_once_on_sigquit(**_: object) -> None:
    # Celery's own handler would wait for its threads, which cannot be ended.
    signal.signal(signal.SIGQUIT, lambda *_: _leaver().ask(at_once=True))


@beat_init.connect  # type: ignore[untyped-decorator]
def _open_beat(**_: object) -> None:
    _open_or_exit()
    expect_rounds()
    _tell_of_itself()


def _open_or_exit(*required: str) -> None:
    """Opens everything at the process's start: the policy's names mean what they mean then."""
    try:
        services = _services()
        for name in required:
            services.settings.required(name)
    except SettingsError as error:
        raise SystemExit(str(error)) from None


def _tell_of_itself() -> None:
    services = _services()
    exporter = measure(services.settings, services.ledger)
    if exporter is not None:
        atexit.register(exporter.close)
    port = services.settings.metrics_port
    if port is None:
        return
    try:
        serve_probes(port, by_path(probes([SIGNS.missing], [lambda: why_unready(services.ledger)], REGISTRY)))
    except OSError as error:
        raise SystemExit(f"PODCAP_METRICS_PORT: port {port} cannot be served: {error.strerror}.") from None


@app.task(name=RUN_CAPTURE)  # type: ignore[untyped-decorator]
def run_capture(capture_id: str) -> None:
    """Makes one capture, from its place in the queue to its end, which makes room for the next in line."""
    with about(capture_id):
        let_go = run(_services(), capture_id)
        if let_go is not None:
            enqueue(_services(), let_go)
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
