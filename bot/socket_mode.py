"""Socket Mode: Slack's requests over a websocket that the bot opens."""

import logging
import threading

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler

from workers.services import Services
from workers.slack.client import reading_client
from workers.slack.errors import reason

log = logging.getLogger(__name__)

_TRY_AGAIN_AFTER = 5.0


def connect(app: App, services: Services, stopping: threading.Event) -> SocketModeHandler:
    """Connects in the background until Slack answers; breaks after that are slack_sdk's to mend."""
    handler = SocketModeHandler(
        app,
        services.settings.required("SLACK_APP_TOKEN"),
        web_client=reading_client(services.settings),
    )
    thread = threading.Thread(
        target=_until_connected, args=(handler, stopping), name="socket mode", daemon=True
    )
    thread.start()
    return handler


def _until_connected(handler: SocketModeHandler, stopping: threading.Event) -> None:
    while not stopping.is_set():
        try:
            handler.connect()
        except Exception as error:  # noqa: BLE001, slack_sdk raises plain ones; giving up would be for good
            log.warning("Socket Mode is not connected: %s", reason(error))
            stopping.wait(_TRY_AGAIN_AFTER)
        else:
            log.info("Socket Mode is connected")
            return
