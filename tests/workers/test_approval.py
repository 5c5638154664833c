"""A second person's word, on real databases, with a place that knows a few people."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import Engine

from tests.hangs import HANGS
from tests.orders import order
from tests.walk import walk
from workers.admission import stop
from workers.approval import decide_approval
from workers.extension import extend
from workers.housekeeping import keep_house
from workers.ledger.capture import Capture
from workers.ledger.ledger import Ledger
from workers.ledger.states import State
from workers.permission import judge
from workers.policy.decide import Asker
from workers.policy.names import ResolvedPolicy, resolve
from workers.policy.rules import Policy, policy_of
from workers.pulse import Pulse
from workers.report import Report, Silence
from workers.services import Services
from workers.settings import Settings
from workers.trail.trail import Wanted

POLICY = policy_of({"rules": [{"channels": ["C1"], "approval": ["@platform", "U4"]}]})
GROUPS = {"U2": frozenset({"platform"}), "U3": frozenset({"platform"})}


class _Names:
    def channel_id(self, name: str) -> str:
        return name

    def usergroup_id(self, handle: str) -> str:
        return handle

    def user_id(self, email: str) -> str:
        return email


class _Place:
    """A workspace in which U2 and U3 are @platform."""

    def report(self, capture: Capture) -> Report:  # noqa: ARG002, nobody looks
        return Silence()

    def resolve(self, policy: Policy) -> ResolvedPolicy:
        return resolve(policy, _Names())

    def asker(self, capture: Capture, policy: ResolvedPolicy) -> Asker:
        mine = GROUPS.get(capture.user_id, frozenset()) & policy.usergroup_ids
        return Asker(capture.user_id, mine, capture.channel_id)

    def email(self, capture: Capture) -> str | None:  # noqa: ARG002, nobody has one
        return None

    def link(self, capture: Capture) -> str | None:  # noqa: ARG002, there is none
        return None

    def payload_refusal(self, capture: Capture) -> str | None:  # noqa: ARG002, nothing forbids it
        return None


@pytest.fixture
def services(engine: Engine) -> Services:
    settings = Settings(KUBECONFIG="/no/such/file")
    return Services(settings, Ledger(engine), POLICY, None, _Place())


@pytest.fixture
def asked(services: Services) -> Callable[..., Capture]:
    def ask(user_id: str = "U1") -> Capture:
        wanted = order(idempotency_key="key", seconds=1, user_id=user_id, user_name="a")
        capture, _ = services.ledger.request(wanted)
        mention = "<!subteam^platform>"
        return services.ledger.move(capture.id, State.AWAITING_APPROVAL, by="admission", waits_for=mention)

    return ask


def decide(services: Services, capture: Capture, user_id: str, *, approved: bool = True) -> Capture | str:
    who = {"user_name": f"name of {user_id}"}
    return decide_approval(services, capture.id, user_id=user_id, approved=approved, who=who)


@pytest.mark.parametrize("user_id", ["U2", "U4"])
def test_one_of_those_whom_the_rule_names_approves_and_the_trail_says_who(
    services: Services, asked: Callable[..., Capture], user_id: str
) -> None:
    capture = asked()
    queued = decide(services, capture, user_id)
    assert isinstance(queued, Capture)
    assert (queued.state, queued.approved_by, queued.waits_for) == (State.QUEUED, user_id, None)
    assert queued.expires_at > capture.expires_at
    (entry,) = services.ledger.trail.entries(Wanted(event="queued"))
    assert (entry.by, entry.known()["approved_by"]) == (user_id, user_id)
    assert entry.known()["user_name"] == f"name of {user_id}"


@pytest.mark.parametrize(
    ("asker", "presses", "words"),
    [("U1", "U1", "asked for this capture yourself"), ("U2", "U2", "yourself"), ("U1", "U5", "not let you")],
)
@pytest.mark.parametrize("approved", [True, False])
def test_the_asker_and_anybody_else_decide_nothing(
    services: Services,
    asked: Callable[..., Capture],
    asker: str,
    presses: str,
    words: str,
    approved: bool,
) -> None:
    capture = asked(asker)
    told = decide(services, capture, presses, approved=approved)
    assert isinstance(told, str)
    assert words in told
    assert services.ledger.get(capture.id) == capture


def test_a_denial_ends_it_and_names_whose_it_was(services: Services, asked: Callable[..., Capture]) -> None:
    capture = asked()
    denied = decide(services, capture, "U2", approved=False)
    assert isinstance(denied, Capture)
    assert (denied.state, denied.sentence) == (State.DENIED, "<@U2> did not approve it.")
    told = decide(services, capture, "U3")
    assert told == f"`{capture.id}` waits for no approval any more: it is denied."
    (entry,) = services.ledger.trail.entries(Wanted(event="denied"))
    assert entry.by == "U2"


def test_of_two_who_decide_at_once_one_wins_and_the_other_is_told(
    services: Services, asked: Callable[..., Capture]
) -> None:
    capture = asked()
    barrier = Barrier(4)

    def press(user_id: str) -> Capture | str:
        barrier.wait(timeout=HANGS)
        return decide(services, capture, user_id, approved=user_id != "U4")

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(press, ["U2", "U3", "U4", "U2"]))
    assert sum(isinstance(answer, Capture) for answer in answers) == 1
    decided = [entry for entry in services.ledger.trail.entries() if entry.event in {"queued", "denied"}]
    assert len(decided) == 1


def test_without_a_decision_it_expires_and_can_be_approved_no_more(
    services: Services, asked: Callable[..., Capture], engine: Engine
) -> None:
    capture = asked()
    late = Services(
        services.settings,
        Ledger(engine, lambda: capture.expires_at),
        POLICY,
        None,
        _Place(),
    )
    keep_house(late, Pulse())
    ended = services.ledger.get(capture.id)
    assert ended.state is State.EXPIRED
    assert ended.sentence == "Nobody approved this capture in time, so nothing was captured: ask again."
    assert isinstance(decide(services, capture, "U2"), str)


def test_the_asker_can_stop_waiting(services: Services, asked: Callable[..., Capture]) -> None:
    capture = asked()
    stop(services, capture.id, user_id="U1")
    assert services.ledger.get(capture.id).state is State.STOPPED
    assert isinstance(decide(services, capture, "U2"), str)


def test_what_was_not_approved_may_not_begin(services: Services, asked: Callable[..., Capture]) -> None:
    capture = asked()
    judgement = judge(services, capture)
    assert judgement.refusal is None
    refusal = judgement.unapproved(capture)
    assert refusal is not None
    assert "second person's approval" in refusal
    assert judgement.unapproved(replace(capture, approved_by="U2")) is None


def test_more_time_for_an_approved_capture_is_given_by_those_who_approve_alone(
    services: Services, asked: Callable[..., Capture]
) -> None:
    capture = asked()
    decide(services, capture, "U2")
    walk(services.ledger, capture.id, State.TAPPING, State.CAPTURING)
    for user_id in ("U1", "U5"):
        assert extend(services, capture.id, user_id=user_id) is not None
        assert services.ledger.get(capture.id).seconds == 1
    assert extend(services, capture.id, user_id="U3") is None
    assert services.ledger.get(capture.id).seconds == 31
