"""Whether a capture filter can be used: its words first, then libpcap's own compiler."""

from functools import lru_cache

from workers.request.compiler import CompilerError, compile_any
from workers.request.filter_error import FilterError, foreign, refused, unfinished
from workers.request.filter_place import groups
from workers.request.filter_tokens import (
    LONGEST_FILTER,
    Token,
    TokenError,
    foreign_name,
    mixes_and_or,
    tokens,
)
from workers.request.quoting import inert

__all__ = ["AND_OR_HINT", "CompilerError", "FilterError", "check", "mixes_and_or"]

AND_OR_HINT = (
    "`and` and `or` bind equally in a capture filter and are read from the left: add parentheses to be sure."
)
"""What to add where `mixes_and_or` says so."""

_VERDICT_SECONDS = 10
_PLACE_SECONDS = 3


def check(capture_filter: str, link_type: str = "EN10MB") -> None:
    """Checks that a filter compiles and can ask no name server.

    Args:
        capture_filter: A filter (pcap-filter(7)), at most 1,000 characters; an empty one is good.
        link_type: The name of the link type it is compiled for, without `DLT_` (pcap-linktype(7)): `EN10MB`,
            `LINUX_SLL2`, `RAW`, `NULL`.

    Raises:
        FilterError: It cannot be used; the sentence says why and what to do.
    """
    if len(capture_filter) > LONGEST_FILTER:
        raise FilterError(
            f"This filter has {len(capture_filter):,} characters: write one of at most {LONGEST_FILTER:,}."
        )
    read = _read(capture_filter)
    if not read:
        return
    error = _verdict(capture_filter, link_type)
    if error is not None:
        raise _refusal(capture_filter, read, link_type, error)


# The same filter is asked for again and again, and a process for each would be most of what a request costs.
@lru_cache(maxsize=512)
def _verdict(capture_filter: str, link_type: str) -> str | None:
    """What libpcap has against it; None when it compiles."""
    verdict = compile_any(link_type, [(capture_filter, [""])], seconds=_VERDICT_SECONDS, optimize=True)
    return verdict.error if verdict.group is None else None


def _read(capture_filter: str) -> list[Token]:
    try:
        read = tokens(capture_filter)
    except TokenError as error:
        sentence = f"`{inert(error.text)}` cannot stand in a filter: {error}."
        raise FilterError(sentence, error.position, len(error.text), capture_filter) from None
    name = foreign_name(read)
    if name is not None:
        raise FilterError(foreign(read, name), name.position, len(name.text), capture_filter)
    return read


def _refusal(capture_filter: str, read: list[Token], link_type: str, error: str) -> FilterError:
    reason = error.removeprefix("can't parse filter expression: ").strip()
    everything = (read[0].position, read[-1].end - read[0].position, capture_filter)
    if "rejects all packets" in reason:
        return FilterError(
            "No packet can ever match this filter: its conditions exclude each other.", *everything
        )
    good = _good_beginning(link_type, capture_filter, read)
    if good is None:
        return FilterError(f"The filter does not compile: {inert(reason, 200)}.", *everything)
    if good == len(read):
        return FilterError(unfinished(read), read[-1].end, 1, capture_filter)
    return FilterError(*refused(read, good, reason), capture_filter)


def _good_beginning(link_type: str, capture_filter: str, read: list[Token]) -> int | None:
    """How many tokens something good can still become of; None when that cannot be found out."""
    try:
        # Unoptimized: an ending may contradict what stands before it, and only optimizing finds that.
        found = compile_any(link_type, groups(capture_filter, read), seconds=_PLACE_SECONDS, optimize=False)
    except CompilerError:
        return None
    return None if found.group is None else len(read) - found.group
