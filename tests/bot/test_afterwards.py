import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.afterwards import Afterwards


@pytest.fixture
def afterwards() -> Iterator[Afterwards]:
    made = Afterwards(threads=4)
    yield made
    made.close()


def test_what_one_key_asks_for_is_done_in_its_order_and_never_twice_at_once(afterwards: Afterwards) -> None:
    done: list[int] = []
    at_it = threading.Lock()
    all_done = threading.Event()

    def work(number: int) -> None:
        assert at_it.acquire(blocking=False)
        done.append(number)
        at_it.release()
        if number == 199:
            all_done.set()

    for number in range(200):
        afterwards.do("C1", lambda number=number: work(number))
    assert all_done.wait(30)
    assert done == list(range(200))


def test_a_key_that_waits_holds_up_no_other(afterwards: Afterwards) -> None:
    go_on, done = threading.Event(), threading.Event()
    for _ in range(20):
        afterwards.do("slow", lambda: go_on.wait(30) and None)
    afterwards.do("quick", done.set)
    assert done.wait(30)
    go_on.set()


def test_what_fails_is_logged_and_the_next_is_done(
    afterwards: Afterwards, caplog: pytest.LogCaptureFixture
) -> None:
    done = threading.Event()
    afterwards.do("C1", lambda: 1 // 0 and None)
    afterwards.do("C1", done.set)
    assert done.wait(30)
    assert "ZeroDivisionError" in caplog.text


def test_whoever_hands_work_over_from_many_threads_loses_none(afterwards: Afterwards) -> None:
    left = threading.Semaphore(0)
    with ThreadPoolExecutor(8) as pool:
        for number in range(400):
            pool.submit(afterwards.do, f"C{number % 5}", left.release)
    assert all(left.acquire(timeout=30) for _ in range(400))


def test_what_was_not_begun_is_dropped_at_the_end() -> None:
    closing, began, go_on = Afterwards(threads=1), threading.Event(), threading.Event()
    done: list[str] = []

    def first() -> None:
        began.set()
        go_on.wait(30)
        done.append("first")

    closing.do("C1", first)
    closing.do("C1", lambda: done.append("second"))
    assert began.wait(30)
    closing.close()
    go_on.set()
    closing._pool.shutdown(wait=True)
    assert done == ["first"]
