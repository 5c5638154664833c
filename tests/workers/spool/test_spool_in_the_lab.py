"""The whole way to a spool in the lab; `make soak` has it five times as long and at twice the rate."""

from pathlib import Path

from deploy.lab.handle import LabHandle
from tests.workers.spool.fire import capture_under_fire


def test_a_capture_whose_connections_are_cut_every_half_second_is_the_spool_with_every_packet(
    lab: LabHandle, tmp_path: Path
) -> None:
    outcome = capture_under_fire(lab, tmp_path, rate=2_000, seconds=4)
    assert outcome.cuts >= 2
    assert outcome.numbers == list(range(outcome.sent)) == list(range(8_000))
    # finish() has compared the hash with the node's.
    assert outcome.report.bytes == outcome.length
    assert (outcome.report.packets_captured, outcome.report.packets_dropped_by_kernel) == (8_000, 0)
