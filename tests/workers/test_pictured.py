"""The picture of a capture on its way into the thread, with a ledger of its own and a Slack of the lab's."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from bot.terminal.identity import Identity
from bot.terminal.place import TerminalPlace
from tests.migrated import migrated
from tests.orders import order
from tests.walk import lease_of, walk
from tests.workers.picture.charts import recognised
from workers.ledger.capture import Capture
from workers.ledger.ledger import Ledger
from workers.ledger.states import State
from workers.pictured import show_picture
from workers.place import PlaceError
from workers.policy.rules import NOBODY
from workers.report import Silence
from workers.services import Services
from workers.settings import Settings
from workers.summary.summary import Summary, Totals
from workers.summary.timeline import Timeline
from workers.trail.trail import Wanted
from workers.work import Work

ORDER = order(seconds=1, full=True)
CHART = recognised()
SAID = Summary(
    Totals(CHART.packets, CHART.bytes, CHART.first, CHART.first), (), True, timeline=CHART.timeline
)


class _Wall(Silence):
    """Somewhere that hangs pictures up, or does not."""

    def __init__(self, error: Exception | None = None) -> None:
        self.pictures: list[tuple[bytes, str]] = []
        self._error = error

    def show_picture(self, capture: Capture, file: Path, alt_text: str) -> str:  # noqa: ARG002, what the protocol hands over
        if self._error is not None:
            raise self._error
        self.pictures.append((file.read_bytes(), alt_text))
        return "F1"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    engine = migrated(tmp_path / "ledger.db")
    yield Ledger(engine)
    engine.dispose()


def _work(ledger: Ledger, folder: Path, report: Silence) -> Work:
    capture, _ = ledger.request(ORDER)
    ledger.note_message(capture.id, "1.2")
    capture = walk(ledger, capture.id, State.QUEUED, State.TAPPING, State.CAPTURING)
    place = TerminalPlace(Identity("alice", "alice@example.com", "account"), report)
    services = Services(Settings(), ledger, NOBODY, None, place)
    return Work(services, report, capture, lease_of(capture), folder)


def _events(work: Work) -> list[str]:
    wanted = Wanted(capture_id=work.capture.id)
    return [entry.event for entry in work.services.ledger.trail.entries(wanted)]


def test_it_is_shown_in_words_too_and_is_in_the_trail(tmp_path: Path, ledger: Ledger) -> None:
    wall = _Wall()
    work = _work(ledger, tmp_path, wall)
    show_picture(work, SAID)
    ((png, alt_text),) = wall.pictures
    assert Image.open(io.BytesIO(png)).size == (1200, 675)
    assert alt_text.startswith("Traffic of traefik/cheddar: 100 packets")
    assert _events(work)[-1] == "picture delivered"


@pytest.mark.parametrize("error", [PlaceError("Slack does not answer."), OSError("disk full")])
def test_one_that_is_not_taken_costs_nobody_a_capture(
    tmp_path: Path, ledger: Ledger, error: Exception
) -> None:
    work = _work(ledger, tmp_path, _Wall(error))
    show_picture(work, SAID)
    assert _events(work)[-1] == "capturing"


@pytest.mark.parametrize(
    "said",
    [
        replace(SAID, timeline=None),
        replace(SAID, timeline=Timeline(0.001, (1,), (60,), (0,), (0,))),
        replace(SAID, timeline=replace(CHART.timeline, width=0.0)),
    ],
)
def test_of_no_course_and_of_one_that_cannot_be_painted_there_is_none(
    tmp_path: Path, ledger: Ledger, said: Summary
) -> None:
    wall = _Wall()
    show_picture(_work(ledger, tmp_path, wall), said)
    assert wall.pictures == []


def test_where_there_is_no_thread_none_is_painted(tmp_path: Path, ledger: Ledger) -> None:
    wall = _Wall()
    work = _work(ledger, tmp_path, wall)
    work.capture = replace(work.capture, message_ts=None)
    show_picture(work, SAID)
    assert wall.pictures == []
