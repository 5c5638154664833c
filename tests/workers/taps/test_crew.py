"""The threads of one capture."""

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.hangs import HANGS
from workers.taps.crew import Crew
from workers.work import Work


def work() -> Work:
    """What a crew looks at of it."""
    return cast("Work", SimpleNamespace(broken=None))


def test_a_capture_of_one_tap_is_made_by_its_own_thread() -> None:
    with Crew(work(), 1) as crew:
        assert crew.each(lambda _: threading.current_thread(), [0]) == [threading.current_thread()]


def test_everything_is_done_at_once_and_answered_in_order() -> None:
    together = threading.Barrier(5)

    def step(number: int) -> int:
        together.wait(HANGS)
        return number * number

    with Crew(work(), 5) as crew:
        assert crew.each(step, range(5)) == [0, 1, 4, 9, 16]


def test_no_more_is_done_at_once_than_may_be() -> None:
    lock, now, most = threading.Lock(), 0, 0

    def step(_: int) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        threading.Event().wait(0.01)
        with lock:
            now -= 1

    with Crew(work(), 10) as crew:
        crew.each(step, range(20), most=2)
    assert most <= 2


@pytest.mark.parametrize("who", ["a step", "the one that waits"])
def test_what_breaks_off_one_breaks_off_all(who: str) -> None:
    broken = work()

    def step(number: int) -> None:
        if number == 0 and who == "a step":
            raise LookupError("gone")
        while broken.broken is None:
            threading.Event().wait(0.01)
        raise broken.broken

    def meanwhile() -> None:
        if who != "a step":
            raise LookupError("gone")

    with Crew(broken, 3) as crew, pytest.raises(LookupError):
        crew.each(step, range(3), meanwhile=meanwhile)
    assert isinstance(broken.broken, LookupError)


def test_threads_bear_what_their_maker_bears() -> None:
    seen: list[Any] = []
    with Crew(work(), 2) as crew:
        crew.each(lambda _: seen.append(threading.current_thread().name), [0, 1])
    assert all(name.startswith("tap") for name in seen)
