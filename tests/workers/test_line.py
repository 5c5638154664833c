from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from workers.line import Held, Seat, in_line, joined, stand

LIMITS = {"user": 2, "channel": 4, "node": 3, "cluster": 6}
WIDE = dict.fromkeys(LIMITS, 10**6)


class Line:
    """A line over time, as the ledger keeps it."""

    def __init__(self, limits: dict[str, int] | None = None) -> None:
        self.limits = limits or LIMITS
        self.waiting: dict[str, Seat] = {}
        self.running: dict[str, Seat] = {}
        self.round = 0
        self.laps: Counter[str] = Counter()
        self.turns: list[Seat] = []
        self._number = 0

    def ask(self, channel: str, user: str = "U1", node: str = "n1") -> Seat:
        self._number += 1
        seat = Seat(f"{self._number:05}", user, channel, tuple(filter(None, node.split())), "default")
        round_now, lap_now = self.round, self.laps[channel]
        dealt = joined(seat, self.waiting.values(), round_now=round_now, lap_now=lap_now)
        self.waiting |= {one.id: one for one in dealt}
        return self.waiting[seat.id]

    def give(self) -> list[Seat]:
        turns, self.held = stand(self.waiting.values(), self.running.values(), self.limits)
        for one in turns:
            self.running[one.id] = self.waiting.pop(one.id)
            self.round = max(self.round, one.round)
            self.laps[one.channel] = max(self.laps[one.channel], one.lap)
        self.turns += turns
        return turns

    def end(self, index: int) -> None:
        if self.running:
            del self.running[sorted(self.running)[index % len(self.running)]]


def one_at_a_time() -> Line:
    return Line({**WIDE, "cluster": 1})


steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("ABC"), st.sampled_from("xyz"), st.sampled_from("nm")),
        st.integers(0, 20),
    ),
    max_size=60,
)


@given(steps)
def test_no_limit_is_ever_exceeded_and_no_place_is_left_empty(
    steps: list[tuple[str, str, str] | int],
) -> None:
    line = Line()
    for step in steps:
        if isinstance(step, int):
            line.end(step)
        else:
            line.ask(*step)
        line.give()
        taken = Counter(room for one in line.running.values() for room in one.rooms())
        assert all(number <= LIMITS[room[0]] for room, number in taken.items())
        for one in line.waiting.values():
            held = line.held[one.id]
            (full,) = [room for room in one.rooms() if room[0] == held.limit]
            assert taken[full] == LIMITS[held.limit]
            assert 1 <= held.place <= len(line.waiting)


@given(steps)
def test_rounds_of_a_channel_are_all_different_and_in_the_order_of_its_laps(
    steps: list[tuple[str, str, str] | int],
) -> None:
    line = Line()
    for step in steps:
        if isinstance(step, int):
            line.end(step)
        else:
            line.ask(*step)
        line.give()
        for channel in "ABC":
            mine = [one for one in in_line(line.waiting.values()) if one.channel == channel]
            assert len({one.round for one in mine}) == len(mine)
            assert [one.lap for one in mine] == sorted(one.lap for one in mine)


@given(st.integers(1, 60), st.integers(0, 20))
def test_a_loud_channel_keeps_a_quiet_one_waiting_for_one_capture(loud: int, begun: int) -> None:
    line = one_at_a_time()
    for number in range(loud):
        line.ask("LOUD", user=f"U{number % 3}")
    for _ in range(begun):
        line.give()
        line.end(0)
    line.give()
    before = len(line.turns)
    line.ask("QUIET")
    for _ in range(3):
        line.ask("LOUD")
        line.end(0)
        line.give()
    channels = [one.channel for one in line.turns[before:]]
    assert channels.index("QUIET") <= 1


@given(st.integers(1, 40))
def test_a_loud_user_keeps_another_of_the_same_channel_waiting_for_one_capture(loud: int) -> None:
    line = one_at_a_time()
    for _ in range(loud):
        line.ask("A", user="loud")
    line.give()
    line.ask("A", user="quiet")
    for _ in range(2):
        line.end(0)
        line.give()
    assert "quiet" in [one.user for one in line.turns[-2:]]


def test_channels_take_turns_and_within_a_channel_its_users() -> None:
    line = one_at_a_time()
    for channel, user in ["Ax", "Ax", "Ax", "Ay", "Bz", "Bz"]:
        line.ask(channel, user=user)
    for _ in range(6):
        line.give()
        line.end(0)
    assert [one.channel + one.user for one in line.turns] == ["Ax", "Bz", "Ay", "Bz", "Ax", "Ax"]


@given(st.lists(st.sampled_from(["A", "B"]), min_size=20, max_size=60))
def test_a_capture_that_waits_for_its_node_is_not_passed_for_ever_by_others_that_want_it(
    others: list[str],
) -> None:
    line = Line({**WIDE, "node": 1})
    line.ask("B", node="busy")
    line.give()
    patient = line.ask("A", node="busy")
    for channel in others:
        # Its own channel goes on elsewhere all the time, which must not count against it here.
        line.ask("A", user="U2", node="other")
        line.ask(channel, user="U3", node="busy")
        for one in sorted(line.running):
            del line.running[one]
        line.give()
    assert patient.id in {one.id for one in line.turns}


def test_each_is_told_the_narrowest_limit_that_holds_it_and_its_place_there() -> None:
    line = Line({"user": 1, "channel": 2, "node": 10, "cluster": 10})
    for channel, user in ["Ax", "Ax", "Ay", "Az", "Ax"]:
        line.ask(channel, user=user)
    line.give()
    told = {line.waiting[key].user + key[-1]: held for key, held in line.held.items()}
    assert told == {"z4": Held("channel", 1, "A"), "x2": Held("user", 1, "x"), "x5": Held("user", 2, "x")}


def test_a_capture_on_several_nodes_takes_a_place_on_each_of_them() -> None:
    line = Line({**WIDE, "node": 1})
    wide = line.ask("A", node="n1 n2")
    assert line.give() == [wide]
    line.ask("B", node="n2")
    elsewhere = line.ask("C", node="n3")
    assert line.give() == [elsewhere]
    (held,) = line.held.values()
    assert held == Held("node", 1, "n2")


def test_a_capture_that_waits_for_several_nodes_is_not_passed_on_one_of_them_for_ever() -> None:
    line = Line({**WIDE, "node": 1})
    line.ask("A", node="n1")
    line.give()
    wide = line.ask("B", node="n1 n2")
    for _ in range(3):
        line.ask("C", user="U2", node="n2")
    assert line.give() == []
    line.end(0)
    assert line.give() == [wide]


def test_a_capture_whose_node_is_not_known_takes_no_place_on_one() -> None:
    line = Line({**WIDE, "node": 1})
    line.ask("A", node="")
    line.ask("A", node="")
    assert len(line.give()) == 2
    assert replace(line.turns[0], channel="").rooms() == (("user", "U1", ""), ("cluster", "default", ""))
