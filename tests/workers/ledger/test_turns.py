"""Turns on a real database, also when several processes give them at once."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Event
from time import sleep

import pytest
from sqlalchemy import Connection, Engine, event, text

from tests.hangs import HANGS
from tests.orders import order
from tests.walk import walk
from workers.ledger.capture import TERMINAL, Capture
from workers.ledger.ledger import Ledger
from workers.ledger.states import Maker, State
from workers.ledger.tap_record import TapRecord
from workers.line import Held
from workers.settings import Settings

LIMITS = {"user": 2, "channel": 4, "node": 3, "cluster": 6}

Queue = Callable[..., Capture]


@pytest.fixture
def queue(ledger: Ledger) -> Queue:
    def write(node: str = "n1", **changes: object) -> Capture:
        capture, _ = ledger.request(order(**changes))
        return ledger.move(capture.id, State.QUEUED, by="bot", node=node)

    return write


def give(ledger: Ledger, terminal: str | None = None) -> list[str]:
    given = ledger.turns.give(LIMITS, now=ledger.clock(), terminal=terminal)
    assert all(one.turn_at is not None for one in given.captures)
    return [one.id for one in given.captures]


def test_what_exceeds_a_limit_waits_until_one_has_ended(ledger: Ledger, queue: Queue) -> None:
    first, second, third = queue(), queue(), queue()
    assert set(give(ledger)) == {first.id, second.id}
    assert give(ledger) == []
    walk(ledger, first.id, State.TAPPING)
    assert give(ledger) == []
    walk(ledger, first.id, State.FAILED)
    assert give(ledger) == [third.id]


def test_a_capture_counts_once_on_each_node_that_it_touches(ledger: Ledger) -> None:
    def wide(user: str, *nodes: str) -> str:
        capture, _ = ledger.request(order(user_id=user, channel_id=user))
        records = [TapRecord(number, pod=f"p{number}", node=node) for number, node in enumerate(nodes)]
        return ledger.move(capture.id, State.QUEUED, by="bot", taps=records).id

    begun = {wide(user, "n1", "n1", "n2") for user in "ABC"}
    assert set(give(ledger)) == begun
    fourth, other = wide("D", "n3", "n2"), wide("E", "n4")
    given = ledger.turns.give(LIMITS, now=ledger.clock())
    assert [one.id for one in given.captures] == [other]
    assert given.held == {fourth: Held("node", 1, "n2")}
    request, _ = ledger.request(order(user_id="F"))
    foreseen = ledger.turns.foresee(request, LIMITS, nodes=["n2", "n9"], now=ledger.clock())
    assert foreseen == Held("node", 2, "n2")


def test_one_whose_worker_died_keeps_its_turn(ledger: Ledger, queue: Queue) -> None:
    first, _, third = queue(), queue(), queue()
    give(ledger)
    assert ledger.leases.take_away(walk(ledger, first.id, State.TAPPING), by="beat") is not None
    assert give(ledger) == []
    assert ledger.get(third.id).turn_at is None


def test_one_that_was_stopped_or_has_expired_takes_no_place(ledger: Ledger, queue: Queue) -> None:
    first, second, third, fourth = queue(), queue(), queue(), queue()
    give(ledger)
    walk(ledger, second.id, State.STOPPED)
    walk(ledger, third.id, State.STOPPED)
    assert give(ledger) == [fourth.id]
    walk(ledger, first.id, State.STOPPED)
    late = queue()
    now = ledger.clock() + timedelta(hours=1)
    assert ledger.turns.give(LIMITS, now=now).captures == []
    assert give(ledger) == [late.id]


def test_processes_that_give_turns_at_once_never_exceed_a_limit(ledger: Ledger, queue: Queue) -> None:
    # Each of them sees others of the four captures in the line, and would choose another one of them.
    barrier = Barrier(4)

    def process(number: int) -> tuple[str, list[str]]:
        barrier.wait(timeout=HANGS)
        capture = queue(channel_id=f"C{number}", user_id=f"U{number}")
        given = ledger.turns.give({**LIMITS, "cluster": 1}, now=ledger.clock())
        return capture.id, [one.id for one in given.captures]

    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            asked, given = zip(*pool.map(process, range(4)), strict=True)
            assert sum(map(len, given)) == 1
            for capture_id in asked:
                ledger.move(capture_id, State.STOPPED, by="U1", maker=Maker.PERSON)


@pytest.mark.parametrize("backend", ["postgresql"])
def test_whoever_gives_turns_waits_for_another_who_does(ledger: Ledger, engine: Engine) -> None:
    """The second would choose another capture for the one place: the first has not seen that one."""
    asked = [ledger.request(order(channel_id=f"C{n}", user_id=f"U{n}"))[0].id for n in range(2)]
    late, early = sorted(asked)  # of what is equal otherwise, the lower id stands first in line
    ledger.move(early, State.QUEUED, by="bot")
    has_chosen, second = Event(), list[Future[list[str]]]()

    def pause(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if "SET turn_at" in statement and not has_chosen.is_set():
            has_chosen.set()
            while not (second and second[0].done()) and not _somebody_waits(ledger):
                sleep(0.01)

    event.listen(engine, "before_cursor_execute", pause)
    try:
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(_give_one, ledger)
            assert has_chosen.wait(timeout=HANGS)
            ledger.move(late, State.QUEUED, by="bot")
            second.append(pool.submit(_give_one, ledger))
            assert (first.result(timeout=HANGS), second[0].result(timeout=HANGS)) == ([early], [])
    finally:
        event.remove(engine, "before_cursor_execute", pause)


def _give_one(ledger: Ledger) -> list[str]:
    given = ledger.turns.give({**LIMITS, "cluster": 1}, now=ledger.clock())
    return [one.id for one in given.captures]


def _somebody_waits(ledger: Ledger) -> bool:
    with ledger._reading.connect() as connection:
        waits = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return bool(connection.scalar(waits))


def test_a_captures_place_is_shown_until_its_turn(ledger: Ledger, queue: Queue) -> None:
    first, _, third = queue(), queue(), queue()
    given = ledger.turns.give(LIMITS, now=ledger.clock())
    assert given.held == {third.id: Held("user", 1, "U1")}
    assert ledger.turns.note_place(third.id, 1, "you have two")
    assert (ledger.get(third.id).place, ledger.get(third.id).waits_for) == (1, "you have two")
    walk(ledger, first.id, State.STOPPED)
    give(ledger)
    assert (ledger.get(third.id).place, ledger.get(third.id).waits_for) == (None, None)
    assert not ledger.turns.note_place(third.id, 1, "you have two")


def test_a_terminals_capture_takes_its_turn_itself(ledger: Ledger, queue: Queue) -> None:
    terminal = queue(origin=TERMINAL, channel_id="")
    assert give(ledger) == []
    assert ledger.get(terminal.id) == terminal
    assert give(ledger, terminal=terminal.id) == [terminal.id]


def test_those_are_counted_that_the_same_person_asked_for_before(ledger: Ledger, queue: Queue) -> None:
    captures = [queue() for _ in range(4)]
    queue(user_id="U2")
    assert [ledger.turns.waiting_before(one) for one in captures] == [0, 1, 2, 3]
    give(ledger)
    assert [ledger.turns.waiting_before(one) for one in captures] == [0, 0, 0, 1]
    same_moment = replace(captures[3], id="cap-000000")
    assert ledger.turns.waiting_before(same_moment) == 1


def test_the_default_limits_let_a_worker_be_full_and_no_person_take_all_of_it() -> None:
    settings = Settings()
    assert settings.captures_per_cluster == 50
    assert settings.captures_per_user < settings.captures_per_channel < settings.captures_per_cluster


def test_what_would_hold_back_a_request_is_foreseen_and_nothing_is_written(
    ledger: Ledger, queue: Queue
) -> None:
    for number in range(7):
        queue(user_id=f"U{number % 3}", channel_id=f"C{number % 2}")
    request, _ = ledger.request(order(user_id="U1", channel_id="C1"))
    request = replace(request, node="n1")
    before = ledger.watch.waiting()
    foreseen = ledger.turns.foresee(request, LIMITS, nodes=["n1"], now=ledger.clock())
    assert ledger.watch.waiting() == before
    ledger.move(request.id, State.QUEUED, by="bot", node="n1")
    held = ledger.turns.give(LIMITS, now=ledger.clock()).held
    assert foreseen == held[request.id]


def test_a_request_for_which_there_is_room_is_held_back_by_nothing(ledger: Ledger, queue: Queue) -> None:
    queue()
    request, _ = ledger.request(order())
    assert ledger.turns.foresee(request, LIMITS, nodes=["n1"], now=ledger.clock()) is None
