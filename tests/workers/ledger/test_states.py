from hypothesis import given
from hypothesis import strategies as st

from workers.ledger.states import ACTIVE, FINAL, MOVES, WAITING, Maker, State, sources


def test_every_state_is_waiting_active_or_final_and_only_one_of_them() -> None:
    assert set(State) == WAITING | ACTIVE | FINAL
    assert len(WAITING) + len(ACTIVE) + len(FINAL) == len(State)


def test_nothing_leaves_a_final_state() -> None:
    assert not [move for move in MOVES if move[0] in FINAL]


def test_housekeeping_can_fail_whatever_is_not_final() -> None:
    assert sources(State.FAILED, Maker.HOUSE) == WAITING | ACTIVE


def test_nobody_but_the_worker_and_housekeeping_moves_what_a_worker_has() -> None:
    assert {who for start, _, who in MOVES if start in ACTIVE} == {Maker.WORKER, Maker.HOUSE}
    assert {end for start, end, who in MOVES if start in ACTIVE and who is Maker.HOUSE} == {State.FAILED}


def test_what_awaits_approval_is_queued_by_nobody_but_an_approver() -> None:
    makers = {who for *move, who in MOVES if move == [State.AWAITING_APPROVAL, State.QUEUED]}
    assert makers == {Maker.APPROVER}
    left = {end for start, end, _ in MOVES if start is State.AWAITING_APPROVAL}
    assert left == {State.QUEUED, State.DENIED, State.EXPIRED, State.STOPPED, State.FAILED}


@given(st.sampled_from(sorted(State)))
def test_every_state_but_the_first_can_be_reached_and_ends_in_a_final_one(state: State) -> None:
    assert state is State.REQUESTED or any(end is state for _, end, _ in MOVES)
    reached, frontier = {state}, {state}
    while frontier:
        frontier = {end for start, end, _ in MOVES if start in frontier} - reached
        reached |= frontier
    assert reached & FINAL
