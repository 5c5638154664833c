"""A slice of the soak (`make soak` makes a thousand): every topology, with decoys and without."""

import logging
from pathlib import Path

from deploy.lab.handle import LabHandle
from tests.soak.captures import KINDS
from tests.soak.many import captures

log = logging.getLogger(__name__)


def test_twenty_captures_are_at_the_right_interface(lab: LabHandle, tmp_path: Path) -> None:
    tally = captures(lab, 20, tmp_path, at_once=10)
    log.info("%s", tally.table())

    assert tally.failures == []
    assert tally.left == []
    assert len(tally.outcomes) == 20
    assert {one.order.kind for one in tally.outcomes} == set(KINDS)
