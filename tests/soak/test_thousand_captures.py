"""A thousand captures over all topologies and decoys, each held against what is true from outside."""

import logging
import time
from pathlib import Path

import pytest

from deploy.lab.handle import LabHandle
from tests.soak.captures import KINDS
from tests.soak.many import captures

COUNT = 1000

log = logging.getLogger(__name__)


@pytest.mark.timeout(2700)
def test_a_thousand_captures_are_at_the_right_interface(lab: LabHandle, tmp_path: Path) -> None:
    began = time.monotonic()
    tally = captures(lab, COUNT, tmp_path)
    seconds = time.monotonic() - began
    log.info("%d of %d in %.0f s\n%s", len(tally.outcomes), COUNT, seconds, tally.table())

    assert tally.failures == []
    assert tally.left == []
    assert len(tally.outcomes) == COUNT
    assert {one.order.kind for one in tally.outcomes} == set(KINDS)
