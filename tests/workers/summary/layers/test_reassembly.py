from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from workers.summary.layers.reassembly import MOST_UNFINISHED, Reassembly, Whole

Piece = tuple[int, bytes, bool]


@st.composite
def cut_up(draw: st.DrawFn) -> tuple[bytes, list[Piece]]:
    """A payload, and its pieces in any order."""
    payload = draw(st.binary(min_size=16, max_size=2000))
    cuts = sorted(draw(st.sets(st.integers(1, (len(payload) - 1) // 8), min_size=1, max_size=6)))
    edges = [0, *(8 * cut for cut in cuts), len(payload)]
    pieces = [(begin, payload[begin:end], end < len(payload)) for begin, end in pairwise(edges)]
    return payload, draw(st.permutations(pieces))


def add(reassembly: Reassembly, key: object, piece: Piece) -> Whole | None:
    offset, data, more = piece
    return reassembly.add(key, offset, data[:512], len(data), more=more)


@given(cut_up(), st.data())
def test_a_datagram_is_whole_with_its_last_missing_piece_and_not_before(
    cut: tuple[bytes, list[Piece]], data: st.DataObject
) -> None:
    payload, pieces = cut
    reassembly = Reassembly()
    for piece in pieces[:-1]:
        assert add(reassembly, "key", piece) is None
        if data.draw(st.booleans()):  # repetitions and other datagrams change nothing
            assert add(reassembly, "key", piece) is None
            assert add(reassembly, "other", pieces[-1]) is None
    assert add(reassembly, "key", pieces[-1]) == Whole(payload[:512], len(payload))


@given(cut_up())
def test_a_finished_datagram_is_forgotten(cut: tuple[bytes, list[Piece]]) -> None:
    _, pieces = cut
    reassembly = Reassembly()
    first = [add(reassembly, "key", piece) for piece in pieces]
    assert [add(reassembly, "key", piece) for piece in pieces] == first


def test_of_too_many_unfinished_datagrams_the_longest_untouched_is_given_up() -> None:
    reassembly = Reassembly()
    for key in range(MOST_UNFINISHED):
        assert add(reassembly, key, (0, b"x" * 8, True)) is None
    assert add(reassembly, 0, (0, b"x" * 8, True)) is None
    assert add(reassembly, "one more", (0, b"x" * 8, True)) is None
    assert add(reassembly, 1, (8, b"y", False)) is None
    assert add(reassembly, 0, (8, b"y", False)) == Whole(b"x" * 8 + b"y", 9)
