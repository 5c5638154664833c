"""Starts the bot: Socket Mode when SLACK_APP_TOKEN is set, else HTTP on $PORT."""

import gc
import logging
import signal
import sys
import threading
from functools import partial
from types import FrameType

from bot.afterwards import Afterwards
from bot.app import make_app
from bot.http import make_server
from bot.slack_token import SlackToken
from bot.socket_mode import connect, make_handler, why_disconnected
from workers.figures import LedgerFigures
from workers.ledger.readiness import why_unready
from workers.logs import set_up_logs
from workers.metrics import REGISTRY
from workers.request.capture_filter import FilterError, check
from workers.services import open_services
from workers.settings import SettingsError
from workers.telemetry import measure

log = logging.getLogger("bot")


def main() -> int:
    """Runs until SIGTERM or SIGINT; 0 then, 1 when a setting is missing or the port is taken."""
    set_up_logs("bot")
    # Nothing of what was imported becomes garbage, so that nobody need look there for some.
    gc.freeze()
    afterwards = Afterwards()
    try:
        services = open_services()
        settings = services.settings
        app = make_app(services, afterwards)
        handler = make_handler(app, settings) if settings.slack_app_token is not None else None
        token = SlackToken(settings)
        ready = [lambda: why_unready(services.ledger), token.refused]
        if handler is not None:
            ready.append(partial(why_disconnected, handler))
        server = make_server(app if handler is None else None, settings.port, [afterwards.why_stuck], ready)
    except (SettingsError, OSError) as error:
        log.error("%s", error)  # noqa: TRY400, one line for a person, no traceback
        return 1
    REGISTRY.register(LedgerFigures(services.ledger))
    exporter = measure(settings, services.ledger)
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    _warm_up()
    token.ask(stopping)
    threading.Thread(target=server.run, name="http", daemon=True).start()
    if handler is not None:
        connect(handler, stopping)
    log.info("listening on port %s%s", server.effective_port, ", Socket Mode" if handler else "")
    stopping.wait()
    if handler is not None:
        handler.close()
    server.close()
    afterwards.close()
    if exporter is not None:
        exporter.close()
    return 0


def _warm_up() -> None:
    """Starts what checks filters, which the first to ask would wait for."""
    try:
        check("port 80")
    except FilterError as error:
        log.warning("%s", error)


if __name__ == "__main__":
    sys.exit(main())
