"""A terminal's capture waits for its turn among all that share its ledger."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from bot.terminal.words import in_the_terminal
from workers.admission import end
from workers.ledger.capture import Capture
from workers.ledger.states import IllegalMoveError, Maker, State
from workers.limits import Limits
from workers.services import Services
from workers.thread.words import ordinal

_ASK_AGAIN_SECONDS = 1.0
# One that waits has no heartbeat, and after five minutes counts as one whose terminal died.
_WAITS = timedelta(minutes=4)
_TOO_LONG = "Other captures took all the room for minutes: ask again."


def wait_for_turn(services: Services, capture: Capture, say: Callable[[str], None]) -> bool:
    """Waits until a queued capture may begin; whether it may, or was ended meanwhile.

    Args:
        services: The ledger and the limits.
        capture: The capture.
        say: Takes one line whenever its place in the queue is another one.
    """
    ledger, limits = services.ledger, Limits.of(services.settings)
    said = ""
    while True:
        given = ledger.turns.give(limits.by_name(), now=ledger.clock(), terminal=capture.id)
        if given.captures:
            return True
        now = ledger.get(capture.id)
        if now.state is not State.QUEUED:
            return False
        if ledger.clock() > now.requested_at + _WAITS:
            with suppress(IllegalMoveError):
                end(services, now, State.EXPIRED, _TOO_LONG, maker=Maker.HOUSE)
            return False
        if (held := given.held.get(capture.id)) is not None:
            why = limits.why(now, held, user="you have").replace("`", "")
            line = in_the_terminal(f"Waiting: {ordinal(held.place)} in the queue, {why}.")
            if line != said:
                say(line)
                said = line
        time.sleep(_ASK_AGAIN_SECONDS)
