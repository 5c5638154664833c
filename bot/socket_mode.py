"""Socket Mode: Slack's requests over a websocket that the bot opens."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk.socket_mode.request import SocketModeRequest

from workers.metrics import ACKS
from workers.settings import Settings
from workers.slack.client import reading_client
from workers.slack.errors import reason

log = logging.getLogger(__name__)

_TRY_AGAIN_AFTER = 5.0


def make_handler(app: App, settings: Settings) -> SocketModeHandler:
    """What takes Slack's requests to the app, not connected yet.

    Raises:
        SettingsError: SLACK_APP_TOKEN is not set.
    """
    handler = SocketModeHandler(
        app, settings.required("SLACK_APP_TOKEN"), web_client=reading_client(settings)
    )
    handler.client.socket_mode_request_listeners[:] = [_timed(handler)]
    return handler


def _timed(handler: SocketModeHandler) -> Callable[[Any, SocketModeRequest], None]:
    def handle(client: Any, request: SocketModeRequest) -> None:
        with ACKS.time():
            handler.handle(client, request)

    return handle


def connect(handler: SocketModeHandler, stopping: threading.Event) -> None:
    """Connects in the background until Slack answers; breaks after that are slack_sdk's to mend."""
    threading.Thread(
        target=_until_connected, args=(handler, stopping), name="socket mode", daemon=True
    ).start()


def why_disconnected(handler: SocketModeHandler) -> str | None:
    """One sentence while Slack's requests cannot come; None when they can."""
    if handler.client.is_connected():
        return None
    return "Socket Mode is not connected: Slack's requests do not reach podcap; it keeps trying."


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
