"""How a filter that cannot be used is told: one sentence, and the place marked under the filter."""

import difflib
import ipaddress
from collections.abc import Sequence

from workers.request.filter_tokens import Kind, Token
from workers.request.filter_words import JOINING, KEYWORDS, NAMED_TYPES
from workers.request.quoting import inert, verbatim

_SHOWN_AROUND = 30

_HINTS = {
    "&": "to join two conditions write `and`",
    "|": "to join two conditions write `or`",
    "=": "a comparison begins with a field, as in `tcp[13] = 2`",
    "==": "a comparison begins with a field, as in `tcp[13] = 2`",
}
# What people write who know Wireshark's display filters better than pcap-filter(7).
_APPLICATIONS = {
    "http": 80,
    "https": 443,
    "tls": 443,
    "ssl": 443,
    "dns": 53,
    "ssh": 22,
    "ftp": 21,
    "smtp": 25,
}


class FilterError(Exception):
    """A filter cannot be used.

    `str()` is the sentence and under it the filter with the place marked, for a Slack message; `sentence` is
    the sentence alone. `position` and `length` say the place in characters; length 0 means no place.
    """

    def __init__(self, sentence: str, position: int = 0, length: int = 0, capture_filter: str = "") -> None:
        super().__init__(sentence, position, length, capture_filter)
        self.sentence = sentence
        self.position = position
        self.length = length
        self._capture_filter = capture_filter

    def __str__(self) -> str:
        if not self.length:
            return self.sentence
        return f"{self.sentence}\n{pointed(self._capture_filter, self.position, self.length)}"


def pointed(capture_filter: str, position: int, length: int) -> str:
    """The filter in a code block, with carets under the place; a long one is cut around it."""
    length = min(length, 2 * _SHOWN_AROUND)
    start = max(0, position - _SHOWN_AROUND)
    end = position + length + _SHOWN_AROUND
    before = "…" if start else ""
    after = "…" if end < len(capture_filter) else ""
    line = before + verbatim(capture_filter[start:end]) + after
    carets = " " * (len(before) + position - start) + "^" * length
    return f"```\n{line}\n{carets}\n```"


def foreign(read: Sequence[Token], name: Token) -> str:
    """The sentence for a word that libpcap would take for a host name."""
    text, shown = name.text, f"`{inert(name.text)}`"
    before = next((token.text for token in read[::-1] if token.end <= name.position), "")
    head, _, field = text.partition(".")
    if text.lower() in _APPLICATIONS:
        return f"A capture filter knows no {shown}: did you mean `port {_APPLICATIONS[text.lower()]}`?"
    if field and head in KEYWORDS:
        return (
            f"{shown} is of Wireshark's display filters: a capture filter says `host 10.1.2.3` or `port 80`."
        )
    if before in {"host", "net", "src", "dst", "gateway"}:
        return f"{shown} is a host name, which a filter cannot have: write its address instead."
    close = _similar(text)
    if close:
        return f"A capture filter knows no {shown}: did you mean `{close}`?"
    if "-" in text and (head[0].isdigit() or text.partition("-")[0] in KEYWORDS):
        return f"{shown} is read as one name: a range is `portrange 80-90`, a minus has spaces around it."
    return (
        f"A capture filter knows no {shown}, and host names cannot be used: "
        "write an address, as in `host 10.1.2.3`."
    )


def refused(read: Sequence[Token], culprit: int, reason: str) -> tuple[str, int, int]:
    """Sentence, position and length for what libpcap refuses at token number `culprit`, with its reason."""
    token = read[culprit]
    shown = f"`{inert(token.text)}`"
    if "non-network bits set" in reason and 0 < culprit < len(read) - 1:
        first, last = read[culprit - 1], read[culprit + 1]
        return _network(first.text, last.text), first.position, last.end - first.position
    if reason != "syntax error":
        return (
            f"The filter does not compile at {shown}: {inert(reason, 200)}.",
            token.position,
            len(token.text),
        )
    return (
        f"The filter cannot be read at {shown}: {_hint(read, culprit)}.",
        token.position,
        len(token.text),
    )


def unfinished(read: Sequence[Token]) -> str:
    """The sentence for a filter of which something good could still become."""
    texts = [token.text for token in read]
    for opening, closing in (("(", ")"), ("[", "]")):
        if texts.count(opening) > texts.count(closing):
            return f"The filter ends too early: a `{closing}` is missing."
    return f"The filter ends too early: something is missing after `{inert(texts[-1])}`."


def _hint(read: Sequence[Token], culprit: int) -> str:
    token = read[culprit]
    starts_condition = culprit == 0 or read[culprit - 1].text in JOINING | {"("}
    if starts_condition and token.kind is Kind.ADDRESS:
        return f"say what it is, as in `host {inert(token.text)}`"
    if token.text in {"=", "=="} and read[culprit - 1].text in NAMED_TYPES | {"host", "net"}:
        return f"write `{read[culprit - 1].text}` and the value without it"
    if token.text in _HINTS:
        return _HINTS[token.text]
    if token.text in JOINING or token.kind is Kind.SIGN or starts_condition:
        return "it cannot stand there"
    return "join conditions with `and` or `or`"


def _network(address: str, bits: str) -> str:
    shown = inert(f"{address}/{bits}")
    try:
        network = ipaddress.ip_network(f"{address}/{bits}", strict=False)
    except ValueError:
        return f"`{shown}` is no network: behind the prefix all bits are zero."
    return f"`{shown}` is no network but an address in one: write `net {network}`."


def _similar(text: str) -> str | None:
    """The keyword that was probably meant."""
    lower = text.lower()
    for keyword in sorted(KEYWORDS):
        if sorted(keyword) == sorted(lower):
            return keyword
    return next(iter(difflib.get_close_matches(lower, sorted(KEYWORDS), n=1, cutoff=0.74)), None)
