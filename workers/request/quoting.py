"""Other people's text made harmless inside a Slack message."""

import unicodedata

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "'"})


def inert(text: str, limit: int = 80) -> str:
    """The text on one line, cut to `limit` characters, without any power over a message that it stands in.

    Meant to stand between backticks, where `*` and `_` do nothing. It can mention nobody, is no link and
    cannot end the code it stands in.
    """
    one_line = " ".join(text[: limit + 1].split())
    if len(text) > limit:
        one_line = one_line[: limit - 1] + "…"
    # Slack makes links of bare addresses by itself; a zero-width space in them is not seen and ends that.
    return verbatim(one_line).replace("://", ":\u200b//")


def verbatim(text: str) -> str:
    """The text harmless in a code block, as wide as before once Slack shows it.

    `& < >` are escaped as Slack asks, a backtick becomes `'`; control characters, and those that hide text or
    turn it around, become `�`.
    """
    return "".join("�" if _is_unseen(character) else character for character in text).translate(_ESCAPES)


def _is_unseen(character: str) -> bool:
    # Cc control, Cf format (zero-width, direction), Cs lone surrogate, Co private, Cn unassigned.
    return unicodedata.category(character)[0] == "C"
