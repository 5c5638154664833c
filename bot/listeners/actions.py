"""Buttons: Stop ends a running capture early and keeps what it has."""

import logging
from typing import Any

from slack_bolt import Ack, App, Respond
from sqlalchemy.exc import SQLAlchemyError

from workers.admission import stop
from workers.services import Services
from workers.thread.messages import STOP

log = logging.getLogger(__name__)


def register_actions(app: App, services: Services) -> None:
    """Listens to the buttons of a capture's message."""

    @app.action(STOP)
    def stop_capture(ack: Ack, body: dict[str, Any], action: dict[str, Any], respond: Respond) -> None:
        ack()
        try:
            stop(services, action["value"], user_id=body["user"]["id"])
        except SQLAlchemyError:
            log.exception("the ledger cannot be written")
            respond(
                text="podcap's database is out of reach, so nothing stopped: press Stop again in a minute.",
                response_type="ephemeral",
                replace_original=False,
            )
        except KeyError:
            log.warning("Stop was pressed on a capture that is not in the ledger: %s", action["value"])
            respond(
                text="podcap does not know this capture any more, so there is nothing to stop.",
                response_type="ephemeral",
                replace_original=False,
            )
