"""What the picture shows, in words."""

from hypothesis import given, settings

from tests.examples import examples
from tests.workers.picture.charts import charts, recognised
from workers.picture.alt_text import LONGEST, alt_text
from workers.picture.chart import Chart


def test_it_says_how_much_when_and_what_happened() -> None:
    assert alt_text(recognised()) == (
        "Traffic of traefik/cheddar-845749dbd6-zcdjm: 100 packets, 94 kB in 10.2 s, "
        "2026-11-23 12:00:00 to 12:00:10 UTC. "
        "To clients: 89 kB, at most 78 kB/s, at 12:00:04. "
        "To servers: 5.0 kB, at most 488 bytes/s, at 12:00:00. "
        "Marked: 2 resets at 12:00:06; 3 DNS errors at 12:00:07."
    )


@settings(max_examples=examples(15))
@given(charts())
def test_it_is_never_longer_than_slack_takes_and_tells_of_events_where_there_are_any(chart: Chart) -> None:
    told = alt_text(chart)
    assert len(told) <= LONGEST
    if chart.packets and chart.timeline.packets:
        some = any(any(counts) for counts in chart.timeline.marks.values())
        assert told.count("Marked: ") == chart.title[:319].count("Marked: ") + some
    else:
        assert "no packet" in told
