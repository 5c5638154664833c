"""What a policy means at a terminal."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.terminal.identity import Identity
from bot.terminal.place import TerminalPlace
from workers.ledger.capture import Capture
from workers.ledger.states import State
from workers.place import NotHereError
from workers.policy.decide import Decision, decide
from workers.policy.rules import NOBODY, Policy, policy_of
from workers.report import Silence
from workers.request.request import Request, Target, TargetKind

ALICE = Identity("alice@example.com", proven=True, account="alice")
REQUEST = Request(
    (Target("default", TargetKind.POD, "traefik", "cheddar"),), seconds=30, filter="", full=False
)
CAPTURE = Capture(
    **dict.fromkeys(Capture.__dataclass_fields__)
    | {"id": "cap-7f3k9q", "state": State.REQUESTED, "full": False, "requested_at": datetime.now(UTC)}
)  # type: ignore[arg-type]


def asked(rule: dict[str, object] | None, who: Identity = ALICE, *, full: bool = False) -> Decision:
    policy: Policy = NOBODY if rule is None else policy_of({"rules": [rule]})
    place = TerminalPlace(who, Silence())
    resolved = place.resolve(policy)
    asker = place.asker(replace(CAPTURE, full=full), resolved)
    return decide(resolved, asker, replace(REQUEST, full=full))


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ({}, True),
        ({"users": ["alice@example.com"]}, True),
        ({"users": ["kubernetes:alice@example.com"]}, True),
        ({"users": ["bob@example.com", "kubernetes:bob"]}, False),
        ({"users": ["@oncall"]}, False),
        ({"users": ["U024BE7LH"]}, False),
        ({"channels": ["incidents"]}, False),
        ({"channels": ["C024BE91L"], "users": ["alice@example.com"]}, False),
        ({"namespaces": ["shop"]}, False),
    ],
)
def test_a_rule_names_people_by_what_kubernetes_calls_them_and_no_channel(
    rule: dict[str, object], allowed: bool
) -> None:
    assert asked(rule).allowed is allowed


@pytest.mark.parametrize("name", ["U024BE7LH", "kubernetes:alice", "@oncall", "C024BE91L", ""])
def test_no_name_in_kubernetes_makes_somebody_a_person_of_slack(name: str) -> None:
    rule = {"users": ["U024BE7LH", "alice@example.com", "@oncall", "kubernetes:alice"]}
    assert not asked(rule, Identity(name, proven=True, account="x")).allowed


def test_a_name_that_is_only_claimed_is_nobodys() -> None:
    claimed = replace(ALICE, proven=False)
    assert not asked({"users": ["alice@example.com"]}, claimed).allowed
    assert asked({}, claimed).allowed
    assert claimed.shown == "alice@example.com (claimed)"
    assert claimed.email is None


def test_without_a_policy_headers_are_allowed_and_whole_packets_are_not() -> None:
    assert asked(None).allowed
    with pytest.raises(NotHereError, match="PODCAP_POLICY"):
        asked(None, full=True)


def test_whole_packets_need_a_rule_that_says_so() -> None:
    assert not asked({}, full=True).allowed
    assert asked({"payload": True}, full=True).allowed


def test_the_example_in_a_refusal_names_no_channel_and_would_do() -> None:
    example = asked({"namespaces": ["shop"]}).example
    assert "channels" not in example
    assert "alice@example.com" in example
    bob = Identity("bob", proven=True, account="bob")
    assert "kubernetes:bob" in asked({"namespaces": ["shop"]}, bob).example


def test_names_that_only_slack_knows_are_no_mistake_here() -> None:
    place = TerminalPlace(ALICE, Silence())
    policy = policy_of({"rules": [{"channels": ["incidents"], "users": ["@oncall"]}]})
    assert place.resolve(policy).unresolved == ()
