"""`/podcap audit`: who captured what, told to whom the policy names; the question enters the trail, too."""

import logging
from typing import Any

from slack_bolt import Ack, Respond
from sqlalchemy.exc import SQLAlchemyError

from bot.afterwards import Afterwards
from bot.listeners.person import who
from workers.place import PlaceError
from workers.policy.decide import Asker, may_read_trail
from workers.request.audit_question import AuditQuestion, parse_audit
from workers.request.since import shown_span
from workers.request.target import UsageError
from workers.services import Services
from workers.slack.client import reading_client
from workers.slack.directory import SlackDirectory
from workers.slack.faults import faults_as_place_errors
from workers.thread.messages import Message
from workers.thread.trail_messages import MOST_STORIES, answer_message
from workers.trail.stories import stories

log = logging.getLogger(__name__)


def answer_audit(
    services: Services,
    command: dict[str, Any],
    text: str,
    ack: Ack,
    respond: Respond,
    afterwards: Afterwards,
) -> None:
    """Answers a question about the trail, to the asker alone.

    Args:
        services: Policy, ledger and trail.
        command: What Slack sent.
        text: Its text as it was typed.
        ack: Slack's three seconds; who may ask is found out after it.
        respond: Answers by the command's response URL.
        afterwards: Where it is found out.
    """
    try:
        question = parse_audit(text)
    except UsageError as error:
        ack(response_type="ephemeral", text=str(error))
        return
    ack()
    afterwards.do(command["user_id"], lambda: _tell(services, command, question, respond))


def _tell(services: Services, command: dict[str, Any], question: AuditQuestion, respond: Respond) -> None:
    try:
        message = _answer(services, command, question)
    except PlaceError as error:
        message = Message(f"Whether you may read the audit trail could not be asked: {error}", [])
    except SQLAlchemyError:
        log.exception("the trail cannot be read")
        message = Message("podcap's database is out of reach: ask again in a minute.", [])
    respond(
        text=message.text, blocks=message.blocks or None, response_type="ephemeral", replace_original=False
    )


def _answer(services: Services, command: dict[str, Any], question: AuditQuestion) -> Message:
    refused = may_read_trail(services.policy(), _asker(services, command))
    services.ledger.record(
        None,
        "audited" if refused is None else "audit denied",
        by=command["user_id"],
        facts={
            **who(services, command["user_id"], command.get("user_name", "")),
            "team_id": command["team_id"],
            "channel_id": command["channel_id"],
            "question": _plain(question),
        },
    )
    if refused is not None:
        return Message(refused, [])
    trail = services.ledger.trail
    told, more = stories(
        trail,
        capture_id=question.capture_id,
        namespace=question.namespace,
        pod=question.pod,
        within=question.since,
        most=MOST_STORIES,
    )
    return answer_message(question, told, trail.head(), more=more)


@faults_as_place_errors()
def _asker(services: Services, command: dict[str, Any]) -> Asker:
    directory = SlackDirectory(reading_client(services.settings))
    groups = services.policy().usergroup_ids
    return Asker(
        user_id=command["user_id"],
        usergroup_ids=directory.usergroups_of(command["user_id"], groups),
        channel_id=command["channel_id"],
    )


def _plain(question: AuditQuestion) -> dict[str, str]:
    asked = {
        "capture_id": question.capture_id,
        "namespace": question.namespace,
        "pod": question.pod,
        "since": shown_span(question.since) if question.since else None,
    }
    return {key: value for key, value in asked.items() if value is not None}
