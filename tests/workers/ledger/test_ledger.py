from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import Engine, update

from tests.moves import moves
from tests.orders import order
from tests.walk import WORKER, lease_of, walk
from workers.ledger.agreement import disagreement
from workers.ledger.capture import Capture
from workers.ledger.ledger import Ledger
from workers.ledger.schema import captures
from workers.ledger.states import ACTIVE, MOVES, IllegalMoveError, Maker, State
from workers.trail.entry import timestamp


def test_a_request_is_written_with_its_first_move(ledger: Ledger) -> None:
    capture, new = ledger.request(order(user_id="U7"))
    assert new
    assert capture.state is State.REQUESTED
    assert capture.expires_at > capture.requested_at
    assert ledger.get(capture.id) == capture
    assert moves(ledger, capture.id) == [(State.REQUESTED, "U7")]


def test_the_same_click_delivered_twice_is_one_capture(ledger: Ledger) -> None:
    same = order()
    first, _ = ledger.request(same)
    second, new = ledger.request(same)
    assert not new
    assert second == first


def test_the_same_click_delivered_ten_times_at_once_is_one_capture(ledger: Ledger) -> None:
    same = order()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: ledger.request(same), range(10)))
    assert len({capture.id for capture, _ in answers}) == 1
    assert [new for _, new in answers].count(True) == 1


def _at(ledger: Ledger, engine: Engine, state: State) -> Capture:
    """A capture in this state, with the worker that it has there."""
    capture, _ = ledger.request(order())
    worker = {"worker": WORKER, "token": 7} if state in ACTIVE else {}
    with engine.begin() as connection:
        connection.execute(update(captures).where(captures.c.id == capture.id).values(state=state, **worker))
    return ledger.get(capture.id)


def _make(ledger: Ledger, capture: Capture, end: State, maker: Maker) -> Capture:
    if maker is Maker.WORKER:
        return ledger.move_held(lease_of(capture), end)
    return ledger.move(capture.id, end, by="test", maker=maker)


@pytest.mark.parametrize("start", State)
def test_a_move_happens_exactly_when_the_table_of_moves_has_it(
    ledger: Ledger, engine: Engine, start: State
) -> None:
    capture = _at(ledger, engine, start)
    for end, maker in product([state for state in State if state is not State.TAPPING], Maker):
        if (start, end, maker) in MOVES:
            assert _make(ledger, capture, end, maker).state is end
            assert [state for state, _ in moves(ledger, capture.id)] == [State.REQUESTED, end]
            capture = _at(ledger, engine, start)
        else:
            with pytest.raises(IllegalMoveError):
                _make(ledger, capture, end, maker)
            assert ledger.get(capture.id) == capture
    # Nothing leaves a history, so that here and above it tells of all that was tried with the same capture.
    assert moves(ledger, capture.id) == [(State.REQUESTED, "U1")]


def test_the_first_to_press_stop_is_remembered_and_a_final_capture_is_left_alone(ledger: Ledger) -> None:
    capture, _ = ledger.request(order())
    ledger.request_stop(capture.id, "U1")
    assert ledger.request_stop(capture.id, "U2").stop_requested_by == "U1"
    other, _ = ledger.request(order())
    ledger.move(other.id, State.FAILED, by="bot", sentence="No.")
    assert ledger.request_stop(other.id, "U1").stop_requested_by is None


def test_a_worker_that_went_silent_is_found_and_a_living_one_is_not(ledger: Ledger) -> None:
    capture, _ = ledger.request(order())
    taken = walk(ledger, capture.id, State.QUEUED, State.TAPPING)
    assert ledger.leases.beat([lease_of(taken)]) == []
    assert ledger.watch.abandoned(timedelta(hours=1)) == []
    assert [c.id for c in ledger.watch.abandoned(timedelta(seconds=-1))] == [capture.id]


def test_every_process_of_an_installation_knows_it_by_the_same_id(ledger: Ledger, engine: Engine) -> None:
    with ThreadPoolExecutor(10) as pool:
        ids = set(pool.map(lambda _: Ledger(engine).installation(), range(10)))
    assert ids == {ledger.installation()}
    assert len(ledger.installation()) == 16


def test_a_capture_is_extended_only_while_it_runs_and_only_to_more(ledger: Ledger) -> None:
    capture, _ = ledger.request(order(seconds=30))
    assert ledger.extend(capture.id, "U8", seconds=60).seconds == 30
    walk(ledger, capture.id, State.QUEUED, State.TAPPING, State.CAPTURING)
    assert ledger.extend(capture.id, "U8", seconds=60).seconds == 60
    assert ledger.extend(capture.id, "U9", seconds=60).seconds == 60
    *_, entry = ledger.trail.entries()
    assert (entry.event, entry.by, entry.known()) == ("extended", "U8", {"seconds": 60})
    ledger.request_stop(capture.id, "U8")
    assert ledger.extend(capture.id, "U8", seconds=90).seconds == 60


def test_an_end_that_slack_does_not_show_yet_is_found_until_it_does(ledger: Ledger) -> None:
    capture, _ = ledger.request(order())
    assert ledger.watch.unshown(timedelta(hours=1)) == []
    ended = ledger.move(capture.id, State.FAILED, by="bot", sentence="No.")
    assert ledger.watch.unshown(timedelta(hours=1)) == [ended]
    assert ledger.watch.unshown(timedelta(seconds=-1)) == []
    ledger.note(capture.id, shown=State.FAILED)
    assert ledger.watch.unshown(timedelta(hours=1)) == []


def test_a_capture_has_one_message_also_when_two_were_posted(ledger: Ledger) -> None:
    capture, _ = ledger.request(order())
    assert ledger.note_message(capture.id, "1.1")
    assert not ledger.note_message(capture.id, "2.2")
    assert ledger.get(capture.id).message_ts == "1.1"


def test_waiting_and_active_captures_are_told_apart(ledger: Ledger) -> None:
    waiting, _ = ledger.request(order())
    taken, _ = ledger.request(order())
    walk(ledger, taken.id, State.QUEUED, State.TAPPING)
    assert [c.id for c in ledger.watch.waiting()] == [waiting.id]
    assert [c.id for c in ledger.watch.active()] == [taken.id]


def test_every_request_move_and_stop_is_an_entry_of_the_trail(ledger: Ledger) -> None:
    capture, _ = ledger.request(
        order(user_id="U7", filter="port 80", response_url="https://hooks.example/secret")
    )
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


def test_entries_of_several_targets_name_them_all_but_where_they_are_about_one(ledger: Ledger) -> None:
    both = "traefik/cheddar shop/svc/db"
    capture, _ = ledger.request(order(pod="cheddar", targets=both))
    ledger.move(capture.id, State.QUEUED, by="bot")
    ledger.record(capture.id, "tapped", by="worker", namespace="shop", pod="db-0")
    ledger.record(capture.id, "downloaded", by="U9")
    ended = ledger.move(capture.id, State.STOPPED, by="U1", maker=Maker.PERSON)
    ledger.archive.forget(ended, by="beat", reason="old")
    requested, queued, tapped, *others = ledger.trail.entries()
    assert {entry.about for entry in (requested, queued, *others)} == {"traefik/cheddar, shop/svc/db"}
    assert (len(others), tapped.about) == (3, "shop/db-0")
    assert requested.known()["targets"] == both
    assert ledger.trail.verify().ok
    one, _ = ledger.request(order(pod="deploy/cheddar", targets="traefik/deploy/cheddar"))
    entry = list(ledger.trail.entries())[-1]
    assert (entry.capture_id, entry.about) == (one.id, "traefik/deploy/cheddar")
    assert "of" not in entry.known()


def test_what_did_not_happen_is_no_entry(ledger: Ledger) -> None:
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


def test_a_move_whose_entry_cannot_be_written_does_not_happen(ledger: Ledger) -> None:
    capture, _ = ledger.request(order())
    with pytest.raises(TypeError):
        ledger.move(capture.id, State.QUEUED, by="bot", trail={"fact": object()})
    assert ledger.get(capture.id).state is State.REQUESTED


def test_a_ledger_that_was_changed_by_hand_disagrees_with_the_trail(ledger: Ledger, engine: Engine) -> None:
    capture, _ = ledger.request(order())
    ledger.request_stop(capture.id, "U1")
    assert disagreement(engine) is None
    with engine.begin() as connection:
        connection.execute(update(captures).values(state=State.DENIED))
    said = disagreement(engine)
    assert said is not None
    assert f"The ledger says that {capture.id} is denied, the trail says that it is requested" in said
