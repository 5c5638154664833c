"""Sentences of the engine, which are written for Slack, as a terminal shows them."""

import re
from html import unescape

from bot.terminal.visible import visible

_COMMAND = re.compile(r"(?<![\w.-])/podcap\b")
_HELP = re.compile(r"(?<![\w.-])/podcap help\b")
# True in Slack; here a shell has read it before.
_NO_SHELL = " and no shell reads this"
_FENCE = "```"


def in_the_terminal(text: str) -> str:
    """One line of the engine: Slack's escapes undone, its command as it is typed here, nothing that acts."""
    plain = unescape(text).replace("\u200b", "").replace(_NO_SHELL, "")
    typed = _COMMAND.sub("podcap capture", _HELP.sub("podcap capture --help", plain))
    return visible(typed)


def in_lines(text: str) -> str:
    """A sentence of the engine with the code block that may follow it, line by line, without its fences."""
    return "\n".join(in_the_terminal(line) for line in text.split("\n") if line != _FENCE)


def first_line(text: str) -> str:
    """The sentence of a refusal; the example that may follow it is in the ledger."""
    return in_the_terminal(text.partition("\n")[0])
