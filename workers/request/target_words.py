"""Which words of a request were meant as targets, right or wrong."""

import re

from workers.request.duration import is_number

# Without what should follow, too, and in capitals: that is answered better as a target than as a filter.
_LIKE = re.compile(r"(?:[A-Za-z0-9][\w.-]*:)?(?P<namespace>[A-Za-z0-9][-A-Za-z0-9_]*)/", re.ASCII)


def looks_like_target(word: str) -> bool:
    """Whether somebody meant a target by this word: it has a slash behind a name."""
    like = _LIKE.match(word)
    return like is not None and not may_begin_arithmetic(like["namespace"])


def may_begin_arithmetic(word: str) -> bool:
    """Whether a filter can have this word before a slash: `len/2 = 40`."""
    return is_number(word) or word in {"len", "length"}
