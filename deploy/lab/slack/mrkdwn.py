"""Slack's mrkdwn, read as a person reads it in a terminal (Slack's guide to formatting text)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from deploy.lab.slack.world import World

_CODE = re.compile(r"```\n?(?P<block>.*?)\n?```|`(?P<inline>[^`\n]+)`", re.DOTALL)
_ANGLE = re.compile(r"<(?P<what>[^<>\n]+)>")
_EMOJI = re.compile(r":(?P<name>[a-z0-9_+-]+):")
_EDGE = r"(?<![\w{0}]){1}(?=[^\s{0}])(?P<in>[^\n{0}]*[^\s{0}]|[^\s{0}]){1}(?![\w{0}])"
_BOLD = re.compile(_EDGE.format("*", r"\*"))
_ITALIC = re.compile(_EDGE.format("_", "_"))
_STRIKE = re.compile(_EDGE.format("~", "~"))
_FORMAT = re.compile(r"\{(\w+)\}")

_PICTURES = {
    "abacus": "\N{ABACUS}",
    "bar_chart": "\N{BAR CHART}",
    "black_square_for_stop": "\N{BLACK SQUARE FOR STOP}",
    "bulb": "\N{ELECTRIC LIGHT BULB}",
    "hourglass": "\N{HOURGLASS}",
    "hourglass_flowing_sand": "\N{HOURGLASS WITH FLOWING SAND}",
    "inbox_tray": "\N{INBOX TRAY}",
    "information_source": "\N{INFORMATION SOURCE}",
    "lock": "\N{LOCK}",
    "mag": "\N{LEFT-POINTING MAGNIFYING GLASS}",
    "no_entry": "\N{NO ENTRY}",
    "octagonal_sign": "\N{OCTAGONAL SIGN}",
    "outbox_tray": "\N{OUTBOX TRAY}",
    "paperclip": "\N{PAPERCLIP}",
    "red_circle": "\N{LARGE RED CIRCLE}",
    "rotating_light": "\N{POLICE CARS REVOLVING LIGHT}",
    "stopwatch": "\N{STOPWATCH}",
    "tada": "\N{PARTY POPPER}",
    "warning": "\N{WARNING SIGN}",
    "white_check_mark": "\N{WHITE HEAVY CHECK MARK}",
    "x": "\N{CROSS MARK}",
}

_DATES = {
    "date": "%B %d, %Y",
    "date_num": "%Y-%m-%d",
    "date_short": "%b %d, %Y",
    "date_long": "%A, %B %d, %Y",
    "date_pretty": "%B %d, %Y",
    "date_short_pretty": "%b %d, %Y",
    "date_long_pretty": "%A, %B %d, %Y",
    "time": "%H:%M",
    "time_secs": "%H:%M:%S",
}


@dataclass(frozen=True, slots=True)
class Style:
    """How a terminal shows emphasis; without colour nothing but the text is left."""

    colour: bool = False

    def bold(self, text: str) -> str:
        """Bold."""
        return self._sgr("1", text)

    def italic(self, text: str) -> str:
        """Italic."""
        return self._sgr("3", text)

    def strike(self, text: str) -> str:
        """Struck through."""
        return self._sgr("9", text)

    def dim(self, text: str) -> str:
        """Faint, for what is beside the point."""
        return self._sgr("2", text)

    def code(self, text: str) -> str:
        """Inline code; its backticks stay where there is no colour."""
        return self._sgr("36", text) if self.colour else f"`{text}`"

    def _sgr(self, number: str, text: str) -> str:
        return f"\x1b[{number}m{text}\x1b[0m" if self.colour else text


def render(text: str, world: World, style: Style) -> str:
    """Text with bold, code, links, mentions, dates and emoji as they look; code stays as it is."""
    parts = []
    end = 0
    for match in _CODE.finditer(text):
        parts.append(_prose(text[end : match.start()], world, style))
        if match["block"] is not None:
            parts.append("\n".join(style.code(line) if style.colour else line for line in _lines(match)))
        else:
            parts.append(style.code(unescape(match["inline"])))
        end = match.end()
    parts.append(_prose(text[end:], world, style))
    return "".join(parts)


def plain(text: str) -> str:
    """A plain_text object: emoji, but no marks."""
    return _EMOJI.sub(_picture, text)


def unescape(text: str) -> str:
    """The three characters that Slack escapes, as they were."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _lines(match: re.Match[str]) -> list[str]:
    return unescape(match["block"]).split("\n")


def _prose(text: str, world: World, style: Style) -> str:
    kept: list[str] = []

    def keep(rendered: str) -> str:
        # Set aside, so that marks and emoji are not looked for inside a link.
        kept.append(rendered)
        return f"\0{len(kept) - 1}\0"

    text = _ANGLE.sub(lambda match: keep(_angle(match["what"], world, style)), text)
    text = _EMOJI.sub(_picture, text)
    for pattern, mark in ((_BOLD, style.bold), (_ITALIC, style.italic), (_STRIKE, style.strike)):
        text = pattern.sub(_marking(mark), text)
    text = unescape(text)
    return re.sub(r"\0(\d+)\0", lambda match: kept[int(match[1])], text)


def _marking(mark: Callable[[str], str]) -> Callable[[re.Match[str]], str]:
    return lambda match: mark(match["in"])


def _picture(match: re.Match[str]) -> str:
    return _PICTURES.get(match["name"], match.group())


def _angle(what: str, world: World, style: Style) -> str:
    target, _, label = what.partition("|")
    if target.startswith("@"):
        user = world.users.get(target[1:])
        return style.bold(f"@{user.name if user else label or target[1:]}")
    if target.startswith("#"):
        channel = world.channels.get(target[1:])
        return style.bold(f"#{channel.name if channel else label or target[1:]}")
    if target.startswith("!subteam^"):
        group = world.groups.get(target.removeprefix("!subteam^"))
        return style.bold(f"@{group.handle if group else label or target}")
    if target.startswith("!date^"):
        return _date(target, label)
    if target.startswith("!"):
        return style.bold(f"@{target[1:]}")
    return _link(unescape(target), unescape(label))


def _link(target: str, label: str) -> str:
    if not label or label == target:
        return target
    return label if target in {f"http://{label}", f"mailto:{label}"} else f"{label} ({target})"


def _date(target: str, fallback: str) -> str:
    _, seconds, form, *_ = [*target.split("^"), ""]
    if not seconds.isdigit():
        return fallback
    at = datetime.fromtimestamp(int(seconds), UTC)
    return _FORMAT.sub(lambda match: at.strftime(_DATES.get(match[1], match[1])), form)
