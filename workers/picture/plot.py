"""A chart as a drawing for a phone: what went to clients above a line, what went to servers below. Pure.

Everything is labelled where it stands: there is no legend, and nothing is told by its colour alone. The
widths of letters are not known here, so texts stand where nothing else is.
"""

from collections.abc import Callable, Iterable, Sequence
from math import cos, floor, sin, tau

from workers.picture.chart import Chart
from workers.picture.columns import Columns, columns
from workers.picture.lanes import Mark, Marked, marked
from workers.picture.shapes import Area, Drawing, Line, Point, Role, Shape, Text
from workers.picture.ticks import clock, moment, round_step, time_ticks
from workers.thread.words import count, size

WIDTH, HEIGHT = 1200, 675
_LEFT, _RIGHT = 250.0, 1176.0
_MARGIN = 24.0
_TITLE, _TEXT = 36, 26
_TOP, _BOTTOM = 112.0, 630.0
_BAND = 40.0
_LANE = 40.0
_LONGEST_TITLE = 60
_LEAST_SHARE = 0.22
_LEAST_SEEN = 3.0
_TICKS = 6
_MARK_ROOM = 28.0
_MANY = 10


def drawing(chart: Chart) -> Drawing:
    """The picture, 1200 by 675."""
    shapes = [*_head(chart)]
    if chart.packets == 0 or not chart.timeline.packets:
        return _with_sentence(shapes, "No packet passed.")
    if len(chart.timeline.packets) == 1:
        return _with_sentence(shapes, f"{count(chart.packets, 'packet')}: nothing over time to draw.")
    shown = columns(chart.timeline)
    lanes = marked(shown.marks)
    bottom = _BOTTOM - _LANE * max(1, len(lanes)) - 8

    def across(seconds: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * seconds / shown.seconds

    shapes += _grid(chart, shown, across)
    shapes += _traffic(chart, shown, across, bottom)
    shapes += _events(chart, shown, lanes, across, bottom + 8)
    return Drawing(WIDTH, HEIGHT, tuple(shapes))


def _head(chart: Chart) -> Iterable[Shape]:
    yield Text("ink", (_MARGIN, 50), _shortened(chart.title), _TITLE)
    amount = f"{count(chart.packets, 'packet')}, {size(chart.bytes)}"
    yield Text("soft", (_MARGIN, 90), " · ".join(part for part in (when(chart), amount) if part), _TEXT)


def when(chart: Chart) -> str:
    """`2026-11-23 12:00:00 to 12:00:30 UTC`; empty where no calendar says."""
    start, end = moment(chart.first, 0), moment(chart.first, chart.seconds)
    if start is None or end is None:
        return ""
    if f"{start:%F %T}" == f"{end:%F %T}":
        return f"{start:%F %T} UTC"
    return (
        f"{start:%F %T} to {end:%T} UTC"
        if start.date() == end.date()
        else f"{start:%F %T} to {end:%F %T} UTC"
    )


def _with_sentence(shapes: list[Shape], sentence: str) -> Drawing:
    middle = Text("ink", (WIDTH / 2, HEIGHT / 2 + 20), sentence, _TITLE, "middle")
    return Drawing(WIDTH, HEIGHT, (*shapes, middle))


def _grid(chart: Chart, shown: Columns, across: Callable[[float], float]) -> Iterable[Shape]:
    ticks = time_ticks(chart.first, shown.seconds, _TICKS)
    for seconds, label in ticks:
        x = across(seconds)
        yield Line("grid", ((x, _TOP + _BAND), (x, _BOTTOM)))
        if _LEFT + 30 <= x <= _RIGHT - 50:
            yield Text("soft", (x, HEIGHT - 14), label, _TEXT, "middle")
    name = "since its start" if any(label.startswith("+") for _, label in ticks) else "UTC"
    yield Text("soft", (_MARGIN, HEIGHT - 14), name, _TEXT)


def _traffic(
    chart: Chart, shown: Columns, across: Callable[[float], float], bottom: float
) -> Iterable[Shape]:
    """Both directions on one scale, each with room for its peak."""
    above = tuple(a + b for a, b in zip(shown.to_client, shown.other, strict=True))
    below = shown.to_server
    top, foot = _TOP + _BAND, bottom - _BAND
    share = max(above) / (max(above) + max(below)) if any(above) or any(below) else 0.5
    share = min(1 - _LEAST_SHARE, max(_LEAST_SHARE, share))
    zero = top + (foot - top) * share
    scale = min((zero - top) / max(*above, 1.0), (foot - zero) / max(*below, 1.0))
    yield from _rates(scale, zero, top, foot)
    yield _steps("client", [-_seen(rate * scale) for rate in above], zero, across, shown.width)
    yield _steps("other", [-rate * scale for rate in shown.other], zero, across, shown.width)
    yield _steps("server", [_seen(rate * scale) for rate in below], zero, across, shown.width)
    yield Line("ink", ((_LEFT, zero), (_RIGHT, zero)))
    line = chart.timeline
    to_clients = _direction(chart, shown, "to clients", sum(line.to_client), shown.to_client)
    to_servers = _direction(chart, shown, "to servers", sum(line.to_server), below)
    yield Text("ink", (_LEFT, _TOP + 28), to_clients, _TEXT)
    yield Text("ink", (_LEFT, bottom - 12), to_servers, _TEXT)
    if any(line.other):
        others = f"grey: {size(sum(line.other))} not TCP or UDP"
        yield Text("soft", (_RIGHT, bottom - 12), others, _TEXT, "end")


def _direction(chart: Chart, shown: Columns, name: str, sent: int, rates: Sequence[float]) -> str:
    if not sent:
        return f"nothing {name}"
    peak = max(rates)
    at = rates.index(peak) * shown.width
    return f"{name} {size(sent)}, peak {size(round(peak))}/s at {clock(chart.first, at, chart.seconds)}"


def _rates(scale: float, zero: float, top: float, foot: float) -> Iterable[Shape]:
    step = round_step(64 / scale)
    yield Text("soft", (_LEFT - 12, zero + 9), "0", _TEXT, "end")
    for sign, end in ((-1, top), (1, foot)):
        for number in range(1, floor(abs(end - zero) / (step * scale)) + 1):
            y = zero + sign * number * step * scale
            yield Line("grid", ((_LEFT, y), (_RIGHT, y)))
            yield Text("soft", (_LEFT - 12, y + 9), f"{size(round(number * step))}/s", _TEXT, "end")


def _steps(
    role: Role, heights: Sequence[float], zero: float, across: Callable[[float], float], width: float
) -> Area:
    """A skyline."""
    points: list[Point] = [(across(0), zero)]
    for number, height in enumerate(heights):
        points += [(across(number * width), zero + height), (across((number + 1) * width), zero + height)]
    return Area(role, (*points, (across(len(heights) * width), zero)))


def _seen(height: float) -> float:
    """Not so low that it is not seen, where there is anything."""
    return max(height, _LEAST_SEEN) if height else 0.0


def _events(
    chart: Chart, shown: Columns, lanes: list[Marked], across: Callable[[float], float], top: float
) -> Iterable[Shape]:
    if not lanes:
        failures = "" if chart.payload else " (of headers only, failures of HTTP, DNS and TLS are not seen)"
        yield Text("soft", (_LEFT, top + 29), f"no event to mark{failures}", _TEXT)
    for number, lane in enumerate(lanes):
        middle = top + _LANE * (number + 0.5)
        yield Line("grid", ((_LEFT, middle), (_RIGHT, middle)))
        yield Text("ink", (_LEFT - 12, middle + 9), lane.label, _TEXT, "end")
        for seconds, times in _gathered(lane.counts, shown.width, shown.seconds):
            size_of_mark = 9 if times == 1 else 11 if times < _MANY else 13
            yield from _mark(lane.mark, (across(seconds), middle), size_of_mark)


def _gathered(counts: Sequence[int], width: float, seconds: float) -> Iterable[tuple[float, int]]:
    """Events so near to each other that their marks would cover each other, as one: where, and how many."""
    room = _MARK_ROOM / (_RIGHT - _LEFT) * seconds
    places: dict[int, list[tuple[float, int]]] = {}
    for number, times in enumerate(counts):
        if times:
            at = (number + 0.5) * width
            places.setdefault(floor(at / room), []).append((at, times))
    for near in places.values():
        total = sum(times for _, times in near)
        yield sum(at * times for at, times in near) / total, total


def _mark(mark: Mark, at: Point, r: float) -> Iterable[Shape]:
    x, y = at
    if mark == "cross":
        yield Line(mark, ((x - r, y - r), (x + r, y + r)), 5)
        yield Line(mark, ((x - r, y + r), (x + r, y - r)), 5)
    elif mark == "ring":
        turns = [tau * part / 16 for part in range(17)]
        yield Line(mark, tuple((x + r * sin(turn), y + r * cos(turn)) for turn in turns), 4)
    else:
        corners = tuple((x + r * right, y + r * down) for right, down in _CORNERS[mark])
        yield Area(mark, corners)
        # Neighbours that touch are told apart.
        yield Line("paper", (*corners, corners[0]), 3)


_CORNERS = {
    "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "triangle": ((0, -1.2), (1.2, 1), (-1.2, 1)),
}


def _shortened(text: str) -> str:
    """What the font of the painter has, cut in its middle: how a pod's name begins and ends says more."""
    plain = "".join(letter if " " <= letter <= "~" else "?" for letter in text)
    if len(plain) <= _LONGEST_TITLE:
        return plain
    half = (_LONGEST_TITLE - 3) // 2
    return f"{plain[:half]}...{plain[-half:]}"
