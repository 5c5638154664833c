"""Starts the bot: Socket Mode when SLACK_APP_TOKEN is set, else HTTP on $PORT."""

import logging
import signal
import sys
import threading
from types import FrameType

from bot.app import make_app
from bot.http import make_server
from bot.socket_mode import connect
from workers.logs import set_up_logs
from workers.services import open_services
from workers.settings import SettingsError

log = logging.getLogger("bot")


def main() -> int:
    """Runs until SIGTERM or SIGINT; 0 then, 1 when a setting is missing or the port is taken."""
    set_up_logs("bot")
    try:
        services = open_services()
        app = make_app(services)
        socket_mode = services.settings.slack_app_token is not None
        server = make_server(None if socket_mode else app, services)
    except (SettingsError, OSError) as error:
        log.error("%s", error)  # noqa: TRY400, one line for a person, no traceback
        return 1
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    threading.Thread(target=server.run, name="http", daemon=True).start()
    handler = connect(app, services, stopping) if socket_mode else None
    log.info("listening on port %s%s", server.effective_port, ", Socket Mode" if socket_mode else "")
    stopping.wait()
    if handler is not None:
        handler.close()
    server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
