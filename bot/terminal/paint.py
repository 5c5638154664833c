"""Colours of a terminal, where somebody wants them (no-color.org)."""

import os
from typing import Literal, TextIO

Style = Literal["critical", "warning", "info", "title"]

_CODES: dict[Style, str] = {"critical": "1;31", "warning": "33", "info": "36", "title": "1"}


class Paint:
    """Colours text for a stream, or leaves it.

    Args:
        stream: Where the text goes.
    """

    def __init__(self, stream: TextIO) -> None:
        self._on = (
            stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
        )

    def __call__(self, style: Style, text: str) -> str:
        """The text in the colour of its style."""
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self._on else text
