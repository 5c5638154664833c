"""Buttons: Stop ends a running capture early and keeps what it has, +30s lets it run longer."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from slack_bolt import Ack, App, Respond
from sqlalchemy.exc import SQLAlchemyError

from bot.afterwards import Afterwards
from bot.listeners.person import who
from workers.admission import stop
from workers.extension import extend
from workers.logs import about
from workers.services import Services
from workers.thread.messages import EXTEND, STOP

log = logging.getLogger(__name__)


def register_actions(app: App, services: Services, afterwards: Afterwards) -> None:
    """Listens to the buttons of a capture's message."""

    def afterwards_for(ack: Ack, capture_id: str, work: Callable[[], None]) -> None:
        # Apart from its channel's line: nobody who presses Stop waits for the requests of others.
        ack()
        with about(capture_id):
            afterwards.do(capture_id, work)

    @app.action(STOP)
    def stop_capture(ack: Ack, body: dict[str, Any], action: dict[str, Any], respond: Respond) -> None:
        def work() -> None:
            with _told(respond, action["value"], "so nothing stopped: press Stop again in a minute"):
                stop(services, action["value"], user_id=body["user"]["id"], who=_presser(services, body))

        afterwards_for(ack, action["value"], work)

    @app.action(EXTEND)
    def extend_capture(ack: Ack, body: dict[str, Any], action: dict[str, Any], respond: Respond) -> None:
        def work() -> None:
            with _told(respond, action["value"], "so the capture ends as it was to: press again in a minute"):
                presser = _presser(services, body)
                refusal = extend(services, action["value"], user_id=body["user"]["id"], who=presser)
                if refusal is not None:
                    _whisper(respond, refusal)

        afterwards_for(ack, action["value"], work)


def _presser(services: Services, body: dict[str, Any]) -> dict[str, str]:
    user = body["user"]
    return who(services, user["id"], user.get("username") or user.get("name", ""))


@contextmanager
def _told(respond: Respond, capture_id: str, so: str) -> Iterator[None]:
    """Tells whoever pressed the button what kept it from working."""
    try:
        yield
    except SQLAlchemyError:
        log.exception("the ledger cannot be written")
        _whisper(respond, f"podcap's database is out of reach, {so}.")
    except KeyError:
        log.warning("a button was pressed on a capture that is not in the ledger: %s", capture_id)
        _whisper(respond, "podcap does not know this capture any more: its button does nothing.")


def _whisper(respond: Respond, sentence: str) -> None:
    respond(text=sentence, response_type="ephemeral", replace_original=False)
