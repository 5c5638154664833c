"""What Slack's clients make of typed text before an app gets it."""

import re

_OPENING_DOUBLE = re.compile(r'(^|[\s(\[{])"')
_OPENING_SINGLE = re.compile(r"(^|[\s(\[{])'")
_LINK = re.compile(
    r"(?P<url>https?://[^\s<>]+)"
    r"|(?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<domain>\b(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev|local|de)\b(?:/[^\s<>]*)?)"
)


def escaped(text: str) -> str:
    """The three characters that Slack escapes in every text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def smart(text: str) -> str:
    """Typed text as a client with smart punctuation sends it: curly quotes, long dashes, an ellipsis."""
    text = _OPENING_DOUBLE.sub("\\1\N{LEFT DOUBLE QUOTATION MARK}", text)
    text = text.replace('"', "\N{RIGHT DOUBLE QUOTATION MARK}")
    text = _OPENING_SINGLE.sub("\\1\N{LEFT SINGLE QUOTATION MARK}", text)
    text = text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")
    return text.replace("--", "\N{EM DASH}").replace("...", "\N{HORIZONTAL ELLIPSIS}")


def linked(text: str) -> str:
    """Escaped text with addresses made into links: `<http://x.org|x.org>`, `<mailto:a@x.org|a@x.org>`."""

    def link(match: re.Match[str]) -> str:
        found = match.group()
        if match["mail"]:
            return f"<mailto:{found}|{found}>"
        return f"<{found}>" if match["url"] else f"<http://{found}|{found}>"

    return _LINK.sub(link, text)


def sent(text: str, *, with_editor: bool) -> str:
    """What an app receives for typed text."""
    return linked(escaped(smart(text))) if with_editor else escaped(text)
