"""A capture has one worker at a time, and whoever had it before can write nothing any more."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.moves import moves
from tests.orders import order
from tests.walk import lease_of, walk
from workers.ledger.agreement import disagreement
from workers.ledger.capture import Capture
from workers.ledger.lease import Lease, LeaseLostError
from workers.ledger.leases import MOST_LOST_WORKERS
from workers.ledger.ledger import Ledger
from workers.ledger.states import ACTIVE, FINAL, MOVES, IllegalMoveError, Maker, State
from workers.trail.trail import Wanted

_WAY = (
    State.QUEUED,
    State.TAPPING,
    State.CAPTURING,
    State.COLLECTING,
    State.SUMMARISING,
    State.DELIVERING,
)


def taken(ledger: Ledger, state: State = State.TAPPING) -> Capture:
    """A capture that a worker has, in this state."""
    capture, _ = ledger.request(order())
    return walk(ledger, capture.id, *_WAY[: _WAY.index(state) + 1])


def test_only_one_of_ten_workers_takes_a_queued_capture(ledger: Ledger) -> None:
    capture, _ = ledger.request(order())
    walk(ledger, capture.id, State.QUEUED)

    def take(number: int) -> bool:
        try:
            ledger.leases.take(capture.id, f"worker {number}")
        except IllegalMoveError:
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(take, range(10))).count(True) == 1
    assert len(moves(ledger, capture.id)) == 3


@pytest.mark.parametrize("state", sorted(ACTIVE))
def test_a_capture_that_lost_its_worker_goes_on_where_it_was(
    ledger: Ledger, engine: Engine, state: State
) -> None:
    before = taken(ledger, state)
    ledger.published(before.id)
    told = ledger.leases.take_away(before, by="beat")
    assert told is not None
    free, losses = told
    assert (free.state, free.worker, free.published_at, losses) == (state, None, None, 1)
    assert [one.id for one in ledger.watch.adrift()] == [before.id]
    assert ledger.watch.beats() == []
    again, lease = ledger.leases.take(before.id, "another worker")
    assert (again.state, again.worker, lease.takeover) == (state, "another worker", True)
    assert lease.token > before.token
    assert disagreement(engine) is None
    events = [entry.event for entry in ledger.trail.entries(Wanted(capture_id=before.id))]
    assert events[-2:] == ["worker lost", "taken over"]


def test_a_worker_that_was_taken_for_dead_writes_nothing_any_more(ledger: Ledger) -> None:
    capture = taken(ledger, State.CAPTURING)
    old = lease_of(capture)
    assert ledger.leases.holds(old)
    assert ledger.leases.take_away(capture, by="beat") is not None
    for _ in range(2):
        assert_fenced(ledger, old)
        if ledger.get(capture.id).worker is None:
            ledger.leases.take(capture.id, "another worker")


def assert_fenced(ledger: Ledger, old: Lease) -> None:
    """Each of its writes is refused and leaves ledger and trail as they are."""
    before, entries = ledger.get(old.capture_id), len(list(ledger.trail.entries()))
    writes: list[Callable[[], Any]] = [
        lambda: ledger.move_held(old, State.COLLECTING),
        lambda: ledger.move_held(old, State.FAILED, sentence="No."),
        lambda: ledger.note(old.capture_id, lease=old, interface="eth0"),
        lambda: ledger.record(old.capture_id, "tapped", by="worker", lease=old),
        lambda: ledger.leases.let_go(old),
    ]
    for write in writes:
        with pytest.raises(LeaseLostError):
            write()
    assert ledger.leases.beat([old]) == [old]
    assert not ledger.leases.holds(old)
    assert ledger.get(old.capture_id) == before
    assert len(list(ledger.trail.entries())) == entries


def test_a_worker_that_leaves_is_followed_by_another_at_once(ledger: Ledger) -> None:
    capture = taken(ledger, State.COLLECTING)
    old = lease_of(capture)
    left = ledger.leases.let_go(old)
    assert (left.state, left.worker) == (State.COLLECTING, None)
    assert_fenced(ledger, old)
    again, lease = ledger.leases.take(capture.id, "another worker")
    assert (again.state, lease.takeover) == (State.COLLECTING, True)
    # Whoever leaves in good order is not counted among those that died.
    told = ledger.leases.take_away(again, by="beat")
    assert told is not None
    assert told[1] == 1


def test_workers_that_died_are_counted(ledger: Ledger) -> None:
    capture = taken(ledger)
    for losses in range(1, MOST_LOST_WORKERS + 1):
        told = ledger.leases.take_away(capture, by="beat")
        assert told is not None
        assert told[1] == losses
        capture, _ = ledger.leases.take(capture.id, f"worker {losses}")


def test_a_worker_that_moved_on_meanwhile_is_not_taken_for_the_one_that_died(ledger: Ledger) -> None:
    seen = taken(ledger)
    ledger.leases.let_go(lease_of(seen))
    assert ledger.leases.take_away(seen, by="beat") is None
    ledger.leases.take(seen.id, "another worker")
    assert ledger.leases.take_away(seen, by="beat") is None
    assert ledger.get(seen.id).worker == "another worker"


@pytest.mark.parametrize("state", sorted(set(State) - ACTIVE - {State.QUEUED}))
def test_what_is_neither_queued_nor_begun_is_taken_by_nobody(ledger: Ledger, state: State) -> None:
    capture, _ = ledger.request(order())
    if state is State.DELIVERED:
        walk(ledger, capture.id, *_WAY, state)
    elif state is not State.REQUESTED:
        walk(ledger, capture.id, state)
    with pytest.raises(IllegalMoveError):
        ledger.leases.take(capture.id, "worker")


def test_what_expired_is_taken_by_nobody(ledger: Ledger) -> None:
    capture, _ = ledger.request(order())
    walk(ledger, capture.id, State.QUEUED)
    ledger.note(capture.id, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    with pytest.raises(IllegalMoveError):
        ledger.leases.take(capture.id, "worker")


def test_what_housekeeping_ends_is_fenced_off_from_its_worker(ledger: Ledger) -> None:
    capture = taken(ledger)
    ledger.move(capture.id, State.FAILED, by="beat", maker=Maker.HOUSE, sentence="It died.")
    with pytest.raises(LeaseLostError):
        ledger.note(capture.id, lease=lease_of(capture), sentence="It did not.")


_Step = tuple[int, str, State, Maker]
_STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["take", "move", "held", "held", "let go", "take away", "note", "record"]),
        st.sampled_from(sorted(State)),
        st.sampled_from(sorted(Maker)),
    ),
    min_size=3,
    max_size=30,
)


class _Actors:
    """Three processes that do what they like, at the same time, with what they believe to hold."""

    def __init__(self, ledger: Ledger, capture_id: str) -> None:
        self.ledger = ledger
        self.id = capture_id
        self.held: dict[int, list[Lease]] = {0: [], 1: [], 2: []}
        self.barrier = threading.Barrier(3)

    def play(self, actor: int, steps: list[_Step]) -> None:
        self.barrier.wait()
        for number, what, state, maker in steps:
            if number != actor:
                continue
            with suppress(IllegalMoveError):
                self._do(actor, what, state, maker)

    def _do(self, actor: int, what: str, state: State, maker: Maker) -> None:
        name = f"worker {actor}"
        last = self.held[actor][-1] if self.held[actor] else Lease(self.id, name, 10_000)
        if what == "take":
            self.held[actor].append(self.ledger.leases.take(self.id, name)[1])
        elif what == "move":
            self.ledger.move(self.id, state, by=name, maker=maker)
        elif what == "held":
            self.ledger.move_held(last, state)
        elif what == "let go":
            self.ledger.leases.let_go(last)
        elif what == "take away":
            self.ledger.leases.take_away(self.ledger.get(self.id), by=name)
        elif what == "note":
            self.ledger.note(self.id, lease=last, interface=str(last.token))
        else:
            self.ledger.record(self.id, "noted", by=name, lease=last, facts={"token": last.token})


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
def test_whatever_three_processes_do_at_once_every_move_is_one_that_exists(
    engine: Engine, steps: list[_Step]
) -> None:
    ledger = Ledger(engine)
    capture, _ = ledger.request(order())
    ledger.move(capture.id, State.QUEUED, by="bot")
    actors = _Actors(ledger, capture.id)
    threads = [threading.Thread(target=actors.play, args=(actor, steps)) for actor in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    entries = list(ledger.trail.entries(Wanted(capture_id=capture.id)))
    state, holder, tokens = State.REQUESTED, None, 0
    for entry in entries[1:]:
        known = entry.known()
        if entry.event in ("tapping", "taken over"):
            assert holder is None
            assert known["token"] > tokens
            holder, tokens = entry.by, known["token"]
        elif entry.event in ("worker lost", "worker left"):
            assert known["worker"] == holder
            holder = None
        elif entry.event == "noted":
            assert (entry.by, known["token"]) == (holder or entry.by, tokens)
        if entry.event in set(State):
            end = State(entry.event)
            makers = {who for start, to, who in MOVES if (start, to) == (state, end)}
            assert known["from"] == state
            assert makers, (state, end)
            if makers == {Maker.WORKER} and end is not State.TAPPING:
                assert entry.by == holder
            state = end
            if state in FINAL and holder is not None and entry.by != holder:
                holder = None
    now = ledger.get(capture.id)
    assert now.state is state
    assert ledger.trail.verify().ok
