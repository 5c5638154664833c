"""Sentences of the engine, which are written for Slack, as a terminal shows them."""

import re
from html import unescape

from bot.terminal.visible import visible

_COMMAND = re.compile(r"(?<![\w.-])/podcap\b")
_HELP = re.compile(r"(?<![\w.-])/podcap help\b")


def in_the_terminal(text: str) -> str:
    """One line of the engine: Slack's escapes undone, its command as it is typed here, nothing that acts."""
    plain = unescape(text).replace("\u200b", "")
    typed = _COMMAND.sub("podcap capture", _HELP.sub("podcap capture --help", plain))
    return visible(typed)


def first_line(text: str) -> str:
    """The sentence of a refusal; the example that may follow it is in the ledger."""
    return in_the_terminal(text.partition("\n")[0])
