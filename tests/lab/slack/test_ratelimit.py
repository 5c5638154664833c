import pytest

from deploy.lab.slack import ratelimit, scopes
from deploy.lab.slack.ratelimit import RateLimit
from deploy.lab.slack.webapi.dispatch import METHODS


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(clock: Clock) -> RateLimit:
    return RateLimit(clock)


def test_every_method_has_a_limit_and_a_scope() -> None:
    assert ratelimit.METHODS.keys() == METHODS.keys() == scopes.METHODS.keys()


def test_updates_pass_fifty_times_a_minute(limits: RateLimit, clock: Clock) -> None:
    assert [limits.refuse("chat.update", None) for _ in range(50)] == [None] * 50
    clock.now += 10
    assert limits.refuse("chat.update", None) == 50
    clock.now += 50
    assert limits.refuse("chat.update", None) is None


def test_a_channel_takes_a_burst_and_then_a_message_a_second(limits: RateLimit, clock: Clock) -> None:
    assert [limits.refuse("chat.postMessage", "C1") for _ in range(5)] == [None] * 5
    assert limits.refuse("chat.postMessage", "C1") == 1
    assert limits.refuse("chat.postMessage", "C2") is None
    clock.now += 1
    assert limits.refuse("chat.postMessage", "C1") is None
    assert limits.refuse("chat.postMessage", "C1") == 1


def test_one_method_does_not_use_up_another(limits: RateLimit) -> None:
    for _ in range(50):
        limits.refuse("chat.update", None)
    assert limits.refuse("chat.delete", None) is None


def test_a_refused_call_does_not_count(limits: RateLimit, clock: Clock) -> None:
    for _ in range(500):
        limits.refuse("users.list", None)
    clock.now += 60
    assert limits.refuse("users.list", None) is None


def test_coming_back_before_retry_after_is_seen(limits: RateLimit, clock: Clock) -> None:
    while limits.refuse("chat.postMessage", "C1") is None:
        pass
    assert limits.too_early("chat.postMessage", "C1")
    assert not limits.too_early("chat.postMessage", "C2")
    clock.now += 1
    assert not limits.too_early("chat.postMessage", "C1")


def test_limits_scale_and_can_be_off(limits: RateLimit) -> None:
    limits.scale = 0.1
    assert [limits.refuse("chat.update", None) for _ in range(6)] == [*[None] * 5, 60]
    limits.scale = 0
    assert limits.refuse("chat.update", None) is None
