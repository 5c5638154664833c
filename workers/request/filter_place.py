"""Where in a filter libpcap stops understanding it.

libpcap says what is wrong but not where. A beginning of the filter is good as long as some ending makes it
compile; the token behind the longest good beginning is the one to point at.
"""

from collections.abc import Iterator, Sequence

from workers.request.filter_tokens import Token

# What can stand where an operand, the rest of one, or nothing is missing.
_ENDINGS = (
    "",
    "1",
    "tcp",
    "10.0.0.1",
    "= 0",
    "1 = 0",
    "port 1",
    "host 10.0.0.1",
    "net 10.0.0.0",
    "broadcast",
    "greater 1",
    "proto 6",
    "1-2",
    "0:0:0:0:0:1",
    "::1",
    "10.0.0.0/8",
    "255.255.255.255",
    "dst host 10.0.0.1",
    "src host 10.0.0.1",
    "dst port 1",
    "[0] = 0",
    "= 1",
    "mgt",
)
_COMPARED = 6


def groups(capture_filter: str, read: Sequence[Token]) -> list[tuple[str, list[str]]]:
    """Each beginning of the filter, the longest first, with the endings to try.

    Group N holds the beginning that leaves out the last N tokens; the last one is empty.
    """
    return [
        (capture_filter[: read[count - 1].end] if count else "", list(_tails(read[:count])))
        for count in range(len(read), -1, -1)
    ]


def _tails(read: Sequence[Token]) -> Iterator[str]:
    closers = _closers(read)
    for ending in _ENDINGS:
        for closing in closers:
            yield f" {ending} {closing}"


def _closers(read: Sequence[Token]) -> list[str]:
    """What closes the open brackets: alone, and with a comparison between any two of them."""
    still_open: list[str] = []
    for token in read:
        if token.text in {"(", "["}:
            still_open.append({"(": ")", "[": "]"}[token.text])
        elif token.text in {")", "]"} and still_open:
            still_open.pop()
    closing = still_open[::-1]
    places = range(1, min(len(closing), _COMPARED) + 1)
    return [
        " ".join(closing),
        *(" ".join([*closing[:place], "= 0", *closing[place:]]) for place in places),
    ]
