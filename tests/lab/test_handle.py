"""A lab in a program's hands says what failed."""

from pathlib import Path

import pytest

from deploy.lab.handle import CommandFailed, LabHandle


def test_a_command_that_does_not_end_is_named(tmp_path: Path) -> None:
    lab = LabHandle(tmp_path, command_seconds=0)

    with pytest.raises(CommandFailed, match=r"kubectl .* get pods was killed: it had not ended in 0 s"):
        lab.kubectl("get", "pods")


def test_a_command_that_fails_is_named_with_what_it_printed(tmp_path: Path) -> None:
    lab = LabHandle(tmp_path)

    with pytest.raises(CommandFailed, match=r"(?s)kubectl .* version --nonsense ended with 1:.*unknown flag"):
        lab.kubectl("version", "--nonsense")
