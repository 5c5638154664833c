"""A capture under fire, in full."""

from pathlib import Path

import pytest

from deploy.lab.handle import LabHandle
from tests.workers.spool.fire import capture_under_fire

_RATE, _SECONDS = 5_000, 20


@pytest.mark.timeout(900)
def test_twenty_seconds_of_five_thousand_packets_each_arrive_whole_over_connections_cut_twice_a_second(
    lab: LabHandle, tmp_path: Path
) -> None:
    outcome = capture_under_fire(lab, tmp_path, rate=_RATE, seconds=_SECONDS)
    assert outcome.cuts >= _SECONDS
    assert outcome.numbers == list(range(_RATE * _SECONDS))
    assert outcome.report.bytes == outcome.length
    assert outcome.report.packets_dropped_by_kernel == 0
