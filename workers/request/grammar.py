"""`/podcap TARGET… [DURATION] [full] [pcap] [FILTER…]`: from what was typed to a request.

Pure: the text is plain already (`slack_text.plain`), what the filter says is for `capture_filter.check`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from workers.request.duration import LONGEST_SECONDS, is_number, looks_like_duration, seconds_of, shown
from workers.request.filter_tokens import LONGEST_FILTER, stray_character
from workers.request.quoting import inert
from workers.request.request import (
    DEFAULT_CLUSTER,
    OPTIONS,
    PLAIN_PCAP,
    WHOLE_PACKETS,
    Request,
    named,
)
from workers.request.target import EXAMPLE, UsageError
from workers.request.target_words import looks_like_target
from workers.request.targets import take_targets

__all__ = ["Help", "UsageError", "parse"]

_HELP = frozenset({"help", "--help", "-h", "?"})
_QUOTES = "\"'"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_SHORTCODE = re.compile(r":[A-Za-z0-9_'+-]+:")
_OPERATORS = tuple("=<>!&|+-*/%^")


@dataclass(frozen=True, slots=True)
class Help:
    """Somebody asked how podcap is used."""


def parse(
    text: str,
    *,
    clusters: Sequence[str] = (DEFAULT_CLUSTER,),
    default_seconds: int = 30,
    max_seconds: int = LONGEST_SECONDS,
) -> Request | Help:
    """The request in a command's text (what stands after `/podcap`).

    Args:
        text: As typed; `slack_text.plain` of what Slack sent.
        clusters: The names podcap knows; a target without one is in `default`, or in the first.
        default_seconds: The duration when none is given.
        max_seconds: The longest duration there is; the policy may allow less.

    Raises:
        UsageError: In one sentence what to type instead. No other error, whatever the text.
    """
    text = _unquoted(text.strip().replace("\u2192", "->"))
    if text.lower() in _HELP:
        return Help()
    if not text:
        raise UsageError(
            f"Say which pod to capture, for example `{EXAMPLE}`; `/podcap help` tells what else can be said."
        )
    _check_characters(text)
    targets, ends, rest = take_targets(text.split(), clusters)
    typed = inert(named(*targets, ends=ends), 300)
    options = _options(rest, typed, max_seconds)
    return Request(
        targets,
        seconds=default_seconds if options.seconds is None else options.seconds,
        filter=_filter(options.rest, typed),
        full=WHOLE_PACKETS in options.words,
        pcap=PLAIN_PCAP in options.words,
        ends=ends,
    )


@dataclass(frozen=True, slots=True)
class _Options:
    seconds: int | None
    words: frozenset[str]
    rest: list[str]


def _options(words: list[str], targets: str, max_seconds: int) -> _Options:
    """Takes duration, `full` and `pcap`, in any order, from the front of the words."""
    seconds: int | None = None
    said: set[str] = set()
    while words:
        word = words[0]
        if word.lower() in OPTIONS - said:
            said.add(word.lower())
        elif _is_duration(words):
            if seconds is not None:
                raise UsageError(
                    f"One duration is enough: write `/podcap {targets} {shown(seconds)}` "
                    "and the filter after it."
                )
            seconds = _seconds(word, targets, max_seconds)
        else:
            break
        words = words[1:]
    return _Options(seconds, frozenset(said), words)


def _is_duration(words: list[str]) -> bool:
    if looks_like_duration(words[0]):
        return True
    # A filter may begin with a number only in arithmetic: `6 = ip[9]`.
    return is_number(words[0]) and not (len(words) > 1 and words[1].startswith(_OPERATORS))


def _seconds(word: str, targets: str, max_seconds: int) -> int:
    """Seconds of a word that was meant as a duration."""
    start = f"/podcap {targets}"
    if word.startswith("-") or re.fullmatch(r"0+([smh]|$)", word, re.IGNORECASE):
        raise UsageError(f"A duration is at least one second: write for example `{start} 30s`.")
    if is_number(word):
        raise UsageError(
            f"`{inert(word)}` needs a unit: write `30s` or `5m` for a duration, or `port 80` for a filter, "
            f"as in `{start} 30s port 80`."
        )
    seconds = seconds_of(word)
    if seconds is None:
        raise UsageError(
            f"`{inert(word)}` is no duration: write whole hours, minutes and seconds, such as `30s`, `5m` or "
            f"`1m30s`, as in `{start} 30s`."
        )
    if seconds == 0:
        raise UsageError(f"A duration is at least one second: write for example `{start} 30s`.")
    if seconds > max_seconds:
        longest = shown(max_seconds)
        raise UsageError(
            f"`{inert(word)}` is too long: a capture lasts at most {longest}, as in `{start} {longest}`."
        )
    return seconds


def _filter(words: list[str], targets: str) -> str:
    typed = " ".join(words)
    capture_filter = " ".join(_unquoted(typed).split())
    if len(capture_filter) > LONGEST_FILTER:
        raise UsageError(
            f"This filter has {len(capture_filter):,} characters: write one of at most {LONGEST_FILTER:,}, "
            f"for example with `net` in the place of many hosts, as in "
            f"`/podcap {targets} 30s net 10.0.0.0/8`."
        )
    if capture_filter.startswith("-"):
        raise UsageError(
            f"A filter cannot begin with `-`, and podcap takes no options: write the filter alone, as in "
            f"`/podcap {targets} 30s port 80`."
        )
    stray = stray_character(capture_filter)
    if stray is not None:
        raise UsageError(
            f"`{inert(capture_filter[stray])}` means nothing in a filter and no shell reads this: "
            f"write only the filter, as in `/podcap {targets} 30s port 80`."
        )
    if capture_filter == typed and words:
        _check_order(words, targets)
    return capture_filter


def _check_order(words: list[str], targets: str) -> None:
    """What stands before the filter would be a puzzling error of it when it stands elsewhere."""
    if looks_like_target(words[0]):
        raise UsageError(
            "Put every target before duration and filter: write "
            f"`/podcap {targets} {inert(words[0], 200)} 30s`."
        )
    last = words[-1]
    if looks_like_duration(last) or last.lower() in OPTIONS:
        start = " ".join([last, *words[:-1]])
        raise UsageError(
            f"Put `{inert(last)}` before the filter: write `/podcap {targets} {inert(start, 200)}`."
        )


def _check_characters(text: str) -> None:
    if _CONTROL.search(text):
        raise UsageError(
            f"Write the command on one line, without tabs and other control characters, as in `{EXAMPLE}`."
        )
    odd = _NOT_ASCII.search(text)
    shortcode = next(filter(_SHORTCODE.fullmatch, text.split()), None)
    if odd or shortcode:
        shown_odd = inert(odd[0], 20) if odd else inert(shortcode or "")
        raise UsageError(
            f"Take out `{shown_odd}`: a command has plain letters, digits and signs only, as in `{EXAMPLE}`."
        )


def _unquoted(text: str) -> str:
    """The text without one pair of quotes around all of it."""
    for quote in _QUOTES:
        if len(text) > 1 and text[0] == text[-1] == quote and quote not in text[1:-1]:
            return text[1:-1].strip()
    return text
