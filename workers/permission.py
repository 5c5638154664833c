"""Whether a capture may be made: channel, asker and policy; asked at admission and again by the worker."""

from slack_sdk.errors import SlackApiError

from workers.ledger.capture import Capture
from workers.policy.channel import Channel, payload_forbidden_in, refuse_channel
from workers.policy.decide import Asker, decide
from workers.request.request import Request, Target
from workers.services import Services


def refusal(services: Services, capture: Capture) -> str | None:
    """Why this capture may not be made, for the person who asked; None when it may.

    Raises:
        slack_sdk's errors: Slack does not say who is asking or where.
    """
    channel = services.directory.channel(capture.channel_id)
    refused = refuse_channel(channel) or (payload_forbidden_in(channel) if capture.full else None)
    if refused is not None:
        return refused
    decision = decide(services.policy(), _asker(services, capture, channel), request_of(capture))
    if decision.allowed:
        return None
    return f"{decision.sentence}\n{decision.example}" if decision.example else decision.sentence


def request_of(capture: Capture) -> Request:
    """The request that a row of the ledger was made from."""
    return Request(
        target=Target(cluster=capture.cluster, namespace=capture.namespace, pod=capture.pod),
        seconds=capture.seconds,
        filter=capture.filter,
        full=capture.full,
    )


def _asker(services: Services, capture: Capture, channel: Channel) -> Asker:
    try:
        email = services.directory.email(capture.user_id) or ""
    except SlackApiError:
        # Only the example in a refusal shows it.
        email = ""
    return Asker(
        user_id=capture.user_id,
        usergroup_ids=services.directory.usergroups_of(capture.user_id, services.policy().usergroup_ids),
        channel_id=capture.channel_id,
        channel_name=channel.name,
        email=email,
    )
