from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import Engine, update

from workers.ledger.agreement import disagreement
from workers.ledger.capture import Capture, Order
from workers.ledger.ledger import IllegalMoveError, Ledger
from workers.ledger.schema import captures
from workers.ledger.states import MOVES, State
from workers.trail.entry import timestamp

MakeOrder = Callable[..., Order]


def test_a_request_is_written_with_its_first_move(ledger: Ledger, order: MakeOrder) -> None:
    capture, new = ledger.request(order(user_id="U7"))
    assert new
    assert capture.state is State.REQUESTED
    assert capture.expires_at > capture.requested_at
    assert ledger.get(capture.id) == capture
    assert ledger.history(capture.id) == [(State.REQUESTED, "U7")]


def test_the_same_click_delivered_twice_is_one_capture(ledger: Ledger, order: MakeOrder) -> None:
    same = order()
    first, _ = ledger.request(same)
    second, new = ledger.request(same)
    assert not new
    assert second == first


def test_the_same_click_delivered_ten_times_at_once_is_one_capture(ledger: Ledger, order: MakeOrder) -> None:
    same = order()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: ledger.request(same), range(10)))
    assert len({capture.id for capture, _ in answers}) == 1
    assert [new for _, new in answers].count(True) == 1


def test_only_one_of_ten_workers_takes_a_queued_capture(ledger: Ledger, order: MakeOrder) -> None:
    capture, _ = ledger.request(order())
    ledger.move(capture.id, State.QUEUED, by="bot")

    def take(number: int) -> bool:
        try:
            ledger.move(capture.id, State.TAPPING, by=f"worker {number}")
        except IllegalMoveError:
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(take, range(10))).count(True) == 1
    assert len(ledger.history(capture.id)) == 3


@pytest.mark.parametrize(("start", "end"), list(product(State, State)))
def test_a_move_happens_exactly_when_the_table_of_moves_has_it(
    ledger: Ledger, engine: Engine, order: MakeOrder, start: State, end: State
) -> None:
    capture, _ = ledger.request(order())
    with engine.begin() as connection:
        connection.execute(update(captures).values(state=start))
    if (start, end) in MOVES:
        assert ledger.move(capture.id, end, by="test").state is end
        assert ledger.history(capture.id) == [(State.REQUESTED, "U1"), (end, "test")]
    else:
        with pytest.raises(IllegalMoveError):
            ledger.move(capture.id, end, by="test")
        assert ledger.get(capture.id).state is start
        assert ledger.history(capture.id) == [(State.REQUESTED, "U1")]


def test_the_first_to_press_stop_is_remembered_and_a_final_capture_is_left_alone(
    ledger: Ledger, order: MakeOrder
) -> None:
    capture, _ = ledger.request(order())
    ledger.request_stop(capture.id, "U1")
    assert ledger.request_stop(capture.id, "U2").stop_requested_by == "U1"
    other, _ = ledger.request(order())
    ledger.move(other.id, State.FAILED, by="bot", sentence="No.")
    assert ledger.request_stop(other.id, "U1").stop_requested_by is None


def test_a_worker_that_went_silent_is_found_and_a_living_one_is_not(ledger: Ledger, order: MakeOrder) -> None:
    def active() -> Capture:
        capture, _ = ledger.request(order())
        ledger.move(capture.id, State.QUEUED, by="bot")
        return ledger.move(capture.id, State.TAPPING, by="worker", started_at=capture.requested_at)

    beating, never_beat = active(), active()
    ledger.beat(beating.id, "worker@host")
    ledger.beat(beating.id, "worker@host")
    assert ledger.abandoned(timedelta(hours=1)) == []
    assert {c.id for c in ledger.abandoned(timedelta(seconds=-1))} == {beating.id, never_beat.id}


def test_every_process_of_an_installation_knows_it_by_the_same_id(ledger: Ledger, engine: Engine) -> None:
    with ThreadPoolExecutor(10) as pool:
        ids = set(pool.map(lambda _: Ledger(engine).installation(), range(10)))
    assert ids == {ledger.installation()}
    assert len(ledger.installation()) == 16


@pytest.mark.parametrize("state", [State.TAPPING, State.CAPTURING, State.COLLECTING])
def test_a_capture_whose_worker_died_is_given_to_another_one_once(
    ledger: Ledger, order: MakeOrder, engine: Engine, state: State
) -> None:
    capture, _ = ledger.request(order())
    way = [State.QUEUED, State.TAPPING, State.CAPTURING, State.COLLECTING]
    for step in way[: way.index(state) + 1]:
        ledger.move(capture.id, step, by="worker")
    ledger.published(capture.id)
    again = ledger.requeue(capture.id, by="beat")
    assert again is not None
    assert (again.state, again.published_at) == (State.QUEUED, None)
    assert disagreement(engine) is None
    ledger.move(capture.id, State.TAPPING, by="another worker")
    assert ledger.requeue(capture.id, by="beat") is None
    assert ledger.get(capture.id).state is State.TAPPING


@pytest.mark.parametrize("state", [State.REQUESTED, State.QUEUED, State.SUMMARISING, State.DELIVERED])
def test_a_capture_that_has_nothing_on_a_node_is_not_given_to_another_worker(
    ledger: Ledger, order: MakeOrder, engine: Engine, state: State
) -> None:
    capture, _ = ledger.request(order())
    with engine.begin() as connection:
        connection.execute(update(captures).values(state=state))
    assert ledger.requeue(capture.id, by="beat") is None


def test_a_capture_is_extended_only_while_it_runs_and_only_to_more(ledger: Ledger, order: MakeOrder) -> None:
    capture, _ = ledger.request(order(seconds=30))
    assert ledger.extend(capture.id, "U8", seconds=60).seconds == 30
    for state in (State.QUEUED, State.TAPPING, State.CAPTURING):
        ledger.move(capture.id, state, by="worker")
    assert ledger.extend(capture.id, "U8", seconds=60).seconds == 60
    assert ledger.extend(capture.id, "U9", seconds=60).seconds == 60
    *_, entry = ledger.trail.entries()
    assert (entry.event, entry.by, entry.known()) == ("extended", "U8", {"seconds": 60})
    ledger.request_stop(capture.id, "U8")
    assert ledger.extend(capture.id, "U8", seconds=90).seconds == 60


def test_an_end_that_slack_does_not_show_yet_is_found_until_it_does(ledger: Ledger, order: MakeOrder) -> None:
    capture, _ = ledger.request(order())
    assert ledger.unshown(timedelta(hours=1)) == []
    ended = ledger.move(capture.id, State.FAILED, by="bot", sentence="No.")
    assert ledger.unshown(timedelta(hours=1)) == [ended]
    assert ledger.unshown(timedelta(seconds=-1)) == []
    ledger.note(capture.id, shown=State.FAILED)
    assert ledger.unshown(timedelta(hours=1)) == []


def test_a_capture_has_one_message_also_when_two_were_posted(ledger: Ledger, order: MakeOrder) -> None:
    capture, _ = ledger.request(order())
    assert ledger.note_message(capture.id, "1.1")
    assert not ledger.note_message(capture.id, "2.2")
    assert ledger.get(capture.id).message_ts == "1.1"


def test_waiting_and_active_captures_are_told_apart(ledger: Ledger, order: MakeOrder) -> None:
    waiting, _ = ledger.request(order())
    taken, _ = ledger.request(order())
    ledger.move(taken.id, State.QUEUED, by="bot")
    ledger.move(taken.id, State.TAPPING, by="worker")
    assert [c.id for c in ledger.waiting()] == [waiting.id]
    assert [c.id for c in ledger.active()] == [taken.id]


def test_every_request_move_and_stop_is_an_entry_of_the_trail(ledger: Ledger, order: MakeOrder) -> None:
    capture, _ = ledger.request(order(user_id="U7", response_url="https://hooks.example/secret"))
    ledger.move(capture.id, State.QUEUED, by="bot", published_at=capture.requested_at, trail={"why": "ok"})
    ledger.request_stop(capture.id, "U8")
    ledger.record(capture.id, "downloaded", by="U9", facts={"name": "a.pcap"})
    ledger.record(None, "audited", by="U9")
    requested, queued, stop, downloaded, audited = ledger.trail.entries()
    assert [entry.number for entry in (requested, queued, stop, downloaded, audited)] == [1, 2, 3, 4, 5]
    assert {entry.capture_id for entry in (requested, queued, stop, downloaded)} == {capture.id}
    assert {entry.pod for entry in (requested, queued, stop, downloaded)} == {capture.pod}
    assert requested.known().items() >= {"cluster": "default", "seconds": 30, "filter": "port 80"}.items()
    assert "secret" not in requested.facts
    assert queued.known() == {
        "from": "requested",
        "published_at": timestamp(capture.requested_at),
        "why": "ok",
    }
    assert (stop.event, stop.by) == ("stop requested", "U8")
    assert (downloaded.event, downloaded.known()) == ("downloaded", {"name": "a.pcap"})
    assert (audited.capture_id, audited.namespace, audited.pod) == (None, None, None)
    assert ledger.trail.verify().ok


def test_what_did_not_happen_is_no_entry(ledger: Ledger, order: MakeOrder) -> None:
    same = order()
    capture, _ = ledger.request(same)
    ledger.request(same)
    ledger.request_stop(capture.id, "U1")
    ledger.request_stop(capture.id, "U2")
    with pytest.raises(IllegalMoveError):
        ledger.move(capture.id, State.DELIVERED, by="worker")
    with pytest.raises(KeyError):
        ledger.record("cap-nobody", "downloaded", by="U1")
    assert [entry.event for entry in ledger.trail.entries()] == ["requested", "stop requested"]


def test_a_move_whose_entry_cannot_be_written_does_not_happen(ledger: Ledger, order: MakeOrder) -> None:
    capture, _ = ledger.request(order())
    with pytest.raises(TypeError):
        ledger.move(capture.id, State.QUEUED, by="bot", trail={"fact": object()})
    assert ledger.get(capture.id).state is State.REQUESTED


def test_a_ledger_that_was_changed_by_hand_disagrees_with_the_trail(
    ledger: Ledger, engine: Engine, order: MakeOrder
) -> None:
    capture, _ = ledger.request(order())
    ledger.request_stop(capture.id, "U1")
    assert disagreement(engine) is None
    with engine.begin() as connection:
        connection.execute(update(captures).values(state=State.DENIED))
    said = disagreement(engine)
    assert said is not None
    assert f"The ledger says that {capture.id} is denied, the trail says that it is requested" in said
