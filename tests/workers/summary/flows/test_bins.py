from hypothesis import given
from hypothesis import strategies as st

from workers.summary.flows.bins import Bins
from workers.summary.flows.conversation import OTHER, TO_SERVER
from workers.summary.timeline import MOST_BINS

BEGIN = 1_700_000_000_000_000_000
MILLISECOND = 1_000_000
TIMES = st.lists(st.integers(-(10**10), 10**13), min_size=1, max_size=60)


def counted(times: list[int]) -> Bins:
    """A packet of 10 bytes to a server, and a reset, at each time after BEGIN."""
    bins = Bins()
    bins.start(BEGIN)
    for time in times:
        bins.add(BEGIN + time, TO_SERVER, 10)
        bins.mark("reset", BEGIN + time)
    return bins


@given(TIMES)
def test_whatever_the_times_each_packet_and_mark_is_in_one_bin_of_at_most_600(times: list[int]) -> None:
    line = counted(times).result()
    assert len(line.packets) <= MOST_BINS
    assert sum(line.packets) == sum(line.marks["reset"]) == len(times)
    assert sum(line.to_server) == 10 * len(times)
    assert {len(each) for each in (line.to_server, line.to_client, line.other, line.marks["reset"])} == {
        len(line.packets)
    }
    assert line.packets == line.marks["reset"]


@given(TIMES)
def test_the_order_of_packets_changes_nothing(times: list[int]) -> None:
    assert counted(times).result() == counted(times[::-1]).result()


def test_bins_double_their_width_when_the_file_outlasts_them_and_keep_what_they_have() -> None:
    bins = counted([0, 1 * MILLISECOND, 2 * MILLISECOND, 599 * MILLISECOND])
    assert (bins.width, len(bins.result().packets)) == (MILLISECOND, 600)
    bins.add(BEGIN + 600 * MILLISECOND, OTHER, 7)
    line = bins.result()
    assert (line.width, len(line.packets)) == (0.002, 301)
    assert (line.packets[:2], line.packets[299], line.other[300]) == ((2, 1), 1, 7)
    assert line.marks["reset"][:2] == (2, 1)


def test_a_packet_before_the_first_is_in_the_first_bin() -> None:
    assert counted([0, -5_000_000_000]).result().packets == (2,)
