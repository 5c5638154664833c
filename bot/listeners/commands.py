"""The slash command `/podcap`: parse, write to the ledger, ack; the rest comes after the ack."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_bolt import Ack, App, Respond
from sqlalchemy.exc import SQLAlchemyError

from bot.afterwards import Afterwards
from bot.help import help_message
from bot.listeners.audit import answer_audit
from workers.housekeeping import ADMISSION_TAKES
from workers.ledger.capture import Capture, Order
from workers.logs import about
from workers.queueing import admit
from workers.request.audit_question import asks_about_trail
from workers.request.capture_filter import AND_OR_HINT, FilterError, check, mixes_and_or
from workers.request.grammar import Help, UsageError, parse
from workers.request.quoting import verbatim
from workers.request.request import Request, named, render
from workers.request.slack_text import plain
from workers.services import Services

log = logging.getLogger(__name__)

# Early enough that the bot is not at it still when beat begins.
_ADMITS_WITHIN = ADMISSION_TAKES - timedelta(seconds=5)


def register_commands(app: App, services: Services, afterwards: Afterwards) -> None:
    """Listens to `/podcap`."""

    @app.command("/podcap")
    def podcap(ack: Ack, command: dict[str, Any], respond: Respond) -> None:
        text = plain(command.get("text") or "")
        if asks_about_trail(text):
            answer_audit(services, command, text, ack, respond, afterwards)
            return
        try:
            request = parse(text)
            if isinstance(request, Help):
                ack(**help_message())
                return
            if request.filter:
                check(request.filter)
        except (UsageError, FilterError) as error:
            ack(response_type="ephemeral", text=str(error))
            return
        try:
            capture, new = services.ledger.request(_order(command, request))
        except SQLAlchemyError:
            log.exception("the ledger cannot be written")
            ack(
                response_type="ephemeral",
                text="podcap cannot write this down now (its database is out of reach or busy): ask again "
                "when no message of it has come within a minute.",
            )
            return
        with about(capture.id):
            ack(response_type="ephemeral", text=_accepted(capture, request))
            log.info("asked for" if new else "asked for again by the same click")
            if new:
                afterwards.do(capture.channel_id, lambda: _admit(services, capture))


def _admit(services: Services, capture: Capture) -> None:
    if datetime.now(UTC) < capture.requested_at + _ADMITS_WITHIN:
        admit(services, capture)
    # else so many asked in this channel that its turn came late, and beat has it


def _accepted(capture: Capture, request: Request) -> str:
    accepted = (
        f"Capture `{capture.id}` is written down: `{verbatim(render(request))}`. It reports in this channel."
    )
    return f"{accepted}\n{AND_OR_HINT}" if mixes_and_or(request.filter) else accepted


def _order(command: dict[str, Any], request: Request) -> Order:
    return Order(
        # Slack gives every press of Enter its own trigger; a second delivery carries the same.
        idempotency_key=f"{command['team_id']}/{command['trigger_id']}",
        cluster=request.first.cluster,
        namespace=request.first.namespace,
        pod=request.first.behind_the_slash,
        targets=None if request.is_one_pod else named(*request.targets, ends=request.ends),
        seconds=request.seconds,
        filter=request.filter,
        full=request.full,
        pcap=request.pcap,
        team_id=command["team_id"],
        channel_id=command["channel_id"],
        user_id=command["user_id"],
        user_name=command.get("user_name", ""),
        response_url=command.get("response_url"),
    )
