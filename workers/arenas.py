"""Keeping a process with many threads small."""

import ctypes

# glibc's malloc.h
_ARENA_MAX = -8
_ARENAS = 2


def share_arenas() -> None:
    """Lets all threads that begin after this take memory from two arenas in the place of eight a core.

    What one arena has free no other uses, and fifty threads that each allocate a little at other times hold
    on to it all (mallopt(3)). A C library without arenas, such as musl, is left as it is.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, _ARENAS)
