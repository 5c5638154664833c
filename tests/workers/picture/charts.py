"""Charts of any kind, for properties, and one that a person would recognise."""

from hypothesis import strategies as st

from workers.picture.chart import Chart
from workers.picture.lanes import LANES
from workers.summary.timeline import MOST_BINS, Timeline

KINDS = [kind for lane in LANES for kind in lane.kinds]
NOON = 1_795_435_200 * 10**9

_COUNTS = st.integers(0, 2**40)


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    bins = draw(st.integers(0, 4) | st.integers(0, MOST_BINS))
    # So many different numbers would take hypothesis long; what differs is how they follow each other.
    few = draw(st.lists(_COUNTS, min_size=1, max_size=5))

    def row() -> tuple[int, ...]:
        turn = draw(st.integers(0, 7))
        return tuple(few[(number * turn + number // 50) % len(few)] for number in range(bins))

    kinds = draw(st.lists(st.sampled_from(KINDS), unique=True, max_size=len(KINDS)))
    line = Timeline(
        0.001 * 2 ** draw(st.integers(0, 40)), row(), row(), row(), row(), {kind: row() for kind in kinds}
    )
    packets = sum(line.packets)
    first = draw(st.integers(-(2**63), 2**64)) if packets else None
    return Chart(
        draw(st.text(max_size=400)),
        packets,
        draw(_COUNTS),
        first,
        draw(st.floats(0, line.width * max(1, bins))),
        draw(st.booleans()),
        line,
    )


def recognised() -> Chart:
    """10 seconds from noon: a peak to clients at 4 s, two resets at 6 s, DNS errors at 7 s."""
    to_client = tuple(80_000 if second == 4 else 1000 for second in range(10))
    marks = {
        "reset": tuple(2 if second == 6 else 0 for second in range(10)),
        "dns-failure": tuple(3 if second == 7 else 0 for second in range(10)),
    }
    line = Timeline(1.024, (10,) * 10, (500,) * 10, to_client, (0,) * 10, marks)
    return Chart("traefik/cheddar-845749dbd6-zcdjm", 100, 94_000, NOON, 10.2, True, line)
