"""Orders that tests write down."""

import secrets
from dataclasses import replace
from typing import Any

from workers.ledger.capture import TERMINAL, Order

_IN_SLACK = Order(
    idempotency_key="",
    cluster="default",
    namespace="traefik",
    pod="cheddar",
    seconds=30,
    filter="",
    full=False,
    team_id="T1",
    channel_id="C1",
    user_id="U1",
    user_name="alice",
    response_url=None,
)
_AT_A_TERMINAL = replace(_IN_SLACK, team_id="", channel_id="", origin=TERMINAL)


def order(**changes: Any) -> Order:
    """Alice's in Slack, for thirty seconds of one pod, and no other's."""
    return replace(_IN_SLACK, **{"idempotency_key": secrets.token_hex(8), **changes})


def terminal_order(**changes: Any) -> Order:
    """The same at a terminal."""
    return replace(_AT_A_TERMINAL, **{"idempotency_key": secrets.token_hex(8), **changes})


def order_in_the_lab(state: dict[str, Any], **changes: Any) -> Order:
    """Alice's, in the lab's channel `incidents`; the state is that of the lab's Slack."""
    there = {
        "team_id": state["team_id"],
        "channel_id": state["channels"]["incidents"]["id"],
        "user_id": state["users"]["alice"],
    }
    return order(**there, **changes)
