"""Buttons: Stop ends a running capture early and keeps what it has, +30s lets it run longer.

Approve and Deny are a second person's, where a rule of the policy asks for one; Capture is the asker's, where
podcap asks whether so much is meant.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from slack_bolt import Ack, App, Respond
from sqlalchemy.exc import SQLAlchemyError

from bot.afterwards import Afterwards
from bot.listeners.person import who
from workers.admission import stop
from workers.approval import decide_approval
from workers.confirmation import confirm
from workers.extension import extend
from workers.ledger.capture import Capture
from workers.ledger.states import State
from workers.logs import about
from workers.queueing import line_up
from workers.services import Services
from workers.thread.messages import APPROVE, CONFIRM, DENY, EXTEND, STOP

log = logging.getLogger(__name__)

Press = Callable[[str, str, dict[str, str]], str | None]
"""What a button does with a capture's id, the presser's id and what the trail is to know of them besides.

It returns what that person is told, or None.
"""


def register_actions(app: App, services: Services, afterwards: Afterwards) -> None:
    """Listens to the buttons of a capture's message."""

    def stopped(capture_id: str, user_id: str, presser: dict[str, str]) -> None:
        stop(services, capture_id, user_id=user_id, who=presser)

    def extended(capture_id: str, user_id: str, presser: dict[str, str]) -> str | None:
        return extend(services, capture_id, user_id=user_id, who=presser)

    def approved(capture_id: str, user_id: str, presser: dict[str, str]) -> str | None:
        return _decided(services, capture_id, user_id, presser, approved=True)

    def denied(capture_id: str, user_id: str, presser: dict[str, str]) -> str | None:
        return _decided(services, capture_id, user_id, presser, approved=False)

    def confirmed(capture_id: str, user_id: str, presser: dict[str, str]) -> str | None:
        return _queued(services, confirm(services, capture_id, user_id=user_id, who=presser))

    for action_id, press, so in (
        (STOP, stopped, "so nothing stopped: press Stop again in a minute"),
        (EXTEND, extended, "so the capture ends as it was to: press again in a minute"),
        (APPROVE, approved, "so nothing was decided: press again in a minute"),
        (DENY, denied, "so nothing was decided: press again in a minute"),
        (CONFIRM, confirmed, "so nothing begins yet: press again in a minute"),
    ):
        app.action(action_id)(_listener(services, afterwards, press, so))


def _listener(services: Services, afterwards: Afterwards, press: Press, so: str) -> Callable[..., None]:
    def pressed(ack: Ack, body: dict[str, Any], action: dict[str, Any], respond: Respond) -> None:
        capture_id = action["value"]

        def work() -> None:
            with _told(respond, capture_id, so):
                told = press(capture_id, body["user"]["id"], _presser(services, body))
                if told is not None:
                    _whisper(respond, told)

        ack()
        with about(capture_id):
            # Apart from its channel's line: nobody who presses Stop waits for the requests of others.
            afterwards.do(capture_id, work)

    return pressed


def _decided(
    services: Services, capture_id: str, user_id: str, presser: dict[str, str], *, approved: bool
) -> str | None:
    return _queued(
        services, decide_approval(services, capture_id, user_id=user_id, approved=approved, who=presser)
    )


def _queued(services: Services, decided: Capture | str) -> str | None:
    """Lines up what may begin now; what whoever pressed is told."""
    if isinstance(decided, str):
        return decided
    if decided.state is State.QUEUED:
        line_up(services, decided)
    return None


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
