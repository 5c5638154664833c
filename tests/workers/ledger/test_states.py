from hypothesis import given
from hypothesis import strategies as st

from workers.ledger.states import ACTIVE, FINAL, MOVES, WAITING, State, sources


def test_every_state_is_waiting_active_or_final_and_only_one_of_them() -> None:
    assert set(State) == WAITING | ACTIVE | FINAL
    assert len(WAITING) + len(ACTIVE) + len(FINAL) == len(State)


def test_nothing_leaves_a_final_state() -> None:
    assert not [move for move in MOVES if move[0] in FINAL]


def test_whatever_is_not_final_can_fail() -> None:
    assert sources(State.FAILED) == WAITING | ACTIVE


@given(st.sampled_from(sorted(State)))
def test_every_state_but_the_first_can_be_reached_and_ends_in_a_final_one(state: State) -> None:
    assert state is State.REQUESTED or sources(state)
    reached, frontier = {state}, {state}
    while frontier:
        frontier = {end for start, end in MOVES if start in frontier} - reached
        reached |= frontier
    assert reached & FINAL
