import io
import os
from collections.abc import Iterator

import pytest

from bot.terminal.progress_line import ProgressLine

Written = tuple[ProgressLine, int]


@pytest.fixture
def terminal() -> Iterator[Written]:
    """A line on a terminal, and where one reads what stands there."""
    master, slave = os.openpty()
    with os.fdopen(slave, "w") as stream:
        yield ProgressLine(stream), master


def shown(master: int, length: int) -> str:
    """What stands there; a read of a terminal may end after any part of it."""
    text = b""
    while len(text) < length:
        text += os.read(master, 4096)
    return text.decode()


def test_a_terminal_gets_one_line_that_is_written_anew_below_those_that_stay(terminal: Written) -> None:
    line, master = terminal
    line.update("1 of 30s")
    line.say("found")
    line.update("2 of 30s")
    line.end()
    # The terminal's own line discipline makes \r\n of \n.
    expected = "\r\x1b[K1 of 30s\r\x1b[Kfound\r\n1 of 30s\r\x1b[K2 of 30s\r\x1b[K"
    assert shown(master, len(expected)) == expected
    os.close(master)


def test_a_line_is_never_longer_than_the_terminal(terminal: Written) -> None:
    line, master = terminal
    line.update("x" * 500)
    line.end()
    seen = b""
    while not seen.endswith(b"x\r\x1b[K"):
        seen += os.read(master, 4096)
    assert seen.count(b"x") < 500
    os.close(master)


def test_elsewhere_only_whole_lines_are_written() -> None:
    stream = io.StringIO()
    line = ProgressLine(stream)
    line.update("1 of 30s")
    line.passing("Summarising")
    line.say("found")
    line.end()
    assert stream.getvalue() == "Summarising\nfound\n"


def test_a_terminal_that_is_gone_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w")
    line = ProgressLine(stream)
    line.say("found")
    line.end()
    with pytest.raises(BrokenPipeError):
        stream.close()  # what could not be written is still there
