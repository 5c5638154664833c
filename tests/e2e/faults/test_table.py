"""docs/faults.md has a row for everything that is killed in every state, and each ended well."""

import re
from itertools import product
from pathlib import Path

from tests.e2e.faults.kills import PROCESSES
from tests.e2e.faults.standing import STATES

_ROW = re.compile(r"^\| (.+?) \| (.+?) \| (.*?) \| (.*?) \|$", re.MULTILINE)
_NO_SUCH = "PostgreSQL"
"""It is not there on SQLite."""


def test_every_process_and_state_has_a_row_in_which_every_capture_ended_well() -> None:
    page = (Path(__file__).parents[3] / "docs/faults.md").read_text()
    rows = {(killed, state): cells for killed, state, *cells in _ROW.findall(page) if killed in PROCESSES}
    assert set(rows) == set(product(PROCESSES, map(str, STATES)))
    for (killed, _), cells in rows.items():
        for cell in cells[killed == _NO_SUCH :]:
            well, tried = cell.split(" of ")
            assert int(well) == int(tried) > 1
