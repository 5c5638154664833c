"""A summary at a terminal."""

import io
from dataclasses import replace

import pytest

from bot.terminal.paint import Paint
from bot.terminal.told import told
from tests.workers.page.hostile import HOSTILE, summary
from workers.summary.finding import Finding


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_findings_stand_first_then_the_course_then_flows() -> None:
    lines = list(told(summary("x"), width=80, paint=Paint(io.StringIO())))
    assert lines[:5] == ["WARNING: x", "  next: x", "  Wireshark: x", "  frame 6, x: x; x", ""]
    assert lines[5] == "2026-11-23 12:00:00 UTC"
    assert lines[6] == "▁▁▁▁█▁▁▁▁▁ peak 79 kB/s"
    assert "TCP 10.0.0.1:40000" in "\n".join(lines)


@pytest.mark.parametrize("width", [20, 60, 100])
def test_sentences_are_wrapped_to_the_terminal(width: int) -> None:
    finding = Finding("x", "critical", "many words " * 30, next="do this " * 30)
    found = replace(summary("x"), findings=(finding,), notes=("many words " * 30,))
    lines = list(told(found, width=width, paint=Paint(io.StringIO())))
    assert max(map(len, lines)) <= max(width, 60)
    assert len(lines) > 6


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_it_acts_on_a_terminal(text: str) -> None:
    for line in told(summary(text), width=80, paint=Paint(io.StringIO())):
        assert line.isprintable() or not line


def test_colours_are_for_terminals_whose_owner_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert Paint(_Terminal())("critical", "x") == "\x1b[1;31mx\x1b[0m"
    assert Paint(io.StringIO())("critical", "x") == "x"
    monkeypatch.setenv("NO_COLOR", "")
    assert Paint(_Terminal())("critical", "x") != "x"  # no-color.org: only when not empty
    monkeypatch.setenv("NO_COLOR", "1")
    assert Paint(_Terminal())("critical", "x") == "x"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert Paint(_Terminal())("critical", "x") == "x"
