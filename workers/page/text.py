"""Text within HTML: whatever it says, it is read and does nothing. Pure."""

import unicodedata
from html import escape, unescape


def shown(text: str) -> str:
    """The text for an element or an attribute in quotes.

    What is not seen but acts (control characters, those that turn text around, lone surrogates) becomes `�`.
    """
    return escape("".join("�" if unicodedata.category(one)[0] == "C" else one for one in text))


def prose(mrkdwn: str) -> str:
    """A sentence that was written for Slack: its escapes undone, what stands between backticks as code."""
    parts = unescape(mrkdwn).replace("\u200b", "").split("`")
    if len(parts) % 2 == 0:  # one backtick is alone
        return shown("`".join(parts))
    return "".join(
        f"<code>{shown(part)}</code>" if number % 2 else shown(part) for number, part in enumerate(parts)
    )
