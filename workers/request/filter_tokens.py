"""The words and signs of a capture filter, read as libpcap reads them but without asking anybody.

libpcap takes a word that it does not know for a host name and asks DNS for it, from the bot and again from
the node. So a word must be a keyword of pcap-filter(7), a number or an address, unless it stands where
libpcap looks for a service (`port http`) or a protocol (`ip proto ospf`), which it finds in files.
"""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from workers.request.filter_words import JOINING, KEYWORDS, NAMED_TYPES, NAMING

LONGEST_FILTER = 1000
"""Characters; a filter of 79 kB kept libpcap busy for 11 s."""
DEEPEST_NESTING = 32
"""Brackets within brackets; more are nobody's intention."""

_STRAY = re.compile(r"[^A-Za-z0-9 _.:/\\()\[\]!<>=&|+*%^-]")
_SIGN = re.compile(r"&&|\|\||<<|>>|<=|>=|!=|==|[-+*/%:\[\]!<>()&|^=]")
_WORD = re.compile(r"[A-Za-z0-9](?:[-_.A-Za-z0-9]*[.A-Za-z0-9])?")
_WITH_COLONS = re.compile(r"[A-Za-z0-9]*:[A-Za-z0-9_.:-]*")
_ESCAPED = re.compile(r"\\[A-Za-z0-9-]+(?=[ )]|$)")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]+")
_DOTTED = re.compile(r"[0-9]+(?:\.[0-9]+){1,3}")
_PAIR = "[0-9A-Fa-f]{1,2}"
_MAC = re.compile(
    rf"{_PAIR}(?::{_PAIR}){{5}}|{_PAIR}(?:-{_PAIR}){{5}}|{_PAIR}(?:\.{_PAIR}){{5}}|"
    r"[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}|[0-9A-Fa-f]{12}"
)


class Kind(Enum):
    """What a token is."""

    KEYWORD = auto()
    NUMBER = auto()
    ADDRESS = auto()
    NAME = auto()
    SIGN = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A word or sign: its text and where it begins, in characters from the filter's start."""

    kind: Kind
    text: str
    position: int

    @property
    def end(self) -> int:
        """The position behind its last character."""
        return self.position + len(self.text)


class TokenError(Exception):
    """A place in a filter that cannot be read; the message says why, `text` is what stands there."""

    def __init__(self, sentence: str, text: str, position: int) -> None:
        super().__init__(sentence)
        self.text = text
        self.position = position


def stray_character(capture_filter: str) -> int | None:
    """The position of the first character that no filter has, such as `;` or `$`."""
    match = _STRAY.search(capture_filter)
    return match.start() if match else None


def tokens(capture_filter: str) -> list[Token]:
    """The filter's words and signs, in order.

    Raises:
        TokenError: A character or a word with colons is nothing that a filter can have, or it nests too deep.
    """
    read = list(_read(capture_filter))
    depth = 0
    for token in read:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0)
        if depth > DEEPEST_NESTING:
            raise TokenError(f"brackets nest at most {DEEPEST_NESTING} deep", token.text, token.position)
    return read


def foreign_name(read: list[Token]) -> Token | None:
    """The first name that libpcap could take for a host's or a network's, and so ask DNS for."""
    # An operand without qualifiers has those of the one before it; a closing parenthesis restores those
    # from before the opening one.
    names_allowed = False
    outside: list[bool] = []
    before = ""
    for token in read:
        text = token.text
        if token.kind is Kind.NAME and not names_allowed and before not in NAMING:
            return token
        if text == "(":
            outside.append(names_allowed)
        elif text == ")":
            names_allowed = outside.pop() if outside else False
        elif token.kind is Kind.KEYWORD and text not in JOINING:
            names_allowed = text in NAMED_TYPES
        before = text
    return None


def mixes_and_or(capture_filter: str) -> bool:
    """Whether `and` and `or` stand side by side without parentheses.

    libpcap gives both the same precedence and reads from the left (pcap-filter(7)), which is rarely meant.
    False for a filter that cannot be read.
    """
    try:
        read = tokens(capture_filter)
    except TokenError:
        return False
    seen: list[set[str]] = [set()]
    for index, token in enumerate(read):
        if token.text == "(":
            seen.append(set())
        elif token.text == ")" and len(seen) > 1:
            seen.pop()
        elif token.text in {"and", "&&", "or", "||"} and not _joins_directions(read, index):
            seen[-1].add("and" if token.text in {"and", "&&"} else "or")
            if len(seen[-1]) > 1:
                return True
    return False


def _joins_directions(read: list[Token], index: int) -> bool:
    """Whether this is the `or` of `src or dst`, one qualifier."""
    around = {token.text for token in (*read[max(0, index - 1) : index], *read[index + 1 : index + 2])}
    return around == {"src", "dst"}


def _read(capture_filter: str) -> Iterator[Token]:
    position = 0
    in_brackets = 0
    while position < len(capture_filter):
        if capture_filter[position] == " ":
            position += 1
            continue
        token = _token(capture_filter, position, addresses=not in_brackets)
        yield token
        in_brackets = max(0, in_brackets + {"[": 1, "]": -1}.get(token.text, 0))
        position = token.end


def _token(capture_filter: str, position: int, *, addresses: bool) -> Token:
    if addresses and (match := _WITH_COLONS.match(capture_filter, position)):
        if _MAC.fullmatch(match[0]) or _is_ipv6(match[0]):
            return Token(Kind.ADDRESS, match[0], position)
        raise TokenError("it is neither an IPv6 nor a MAC address", match[0], position)
    if match := _WORD.match(capture_filter, position):
        return _word(match[0], position)
    if match := _ESCAPED.match(capture_filter, position):
        return Token(Kind.NAME, match[0], position)
    if match := _SIGN.match(capture_filter, position):
        return Token(Kind.SIGN, match[0], position)
    raise TokenError("it means nothing in a filter", capture_filter[position], position)


def _word(text: str, position: int) -> Token:
    if text in KEYWORDS:
        return Token(Kind.KEYWORD, text, position)
    if _MAC.fullmatch(text):
        return Token(Kind.ADDRESS, text, position)
    if _NUMBER.fullmatch(text):
        return Token(Kind.NUMBER, text, position)
    if _DOTTED.fullmatch(text):
        if any(len(part) > 3 or int(part) > 255 for part in text.split(".")):  # noqa: PLR2004, an octet
            raise TokenError("it is no IPv4 address", text, position)
        return Token(Kind.ADDRESS, text, position)
    return Token(Kind.NAME, text, position)


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
