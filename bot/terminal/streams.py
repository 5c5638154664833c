"""The standard streams of this process, made fit to be used whatever they are."""

import io
import os
import sys
from contextlib import suppress


def prepare() -> None:
    """Closed ones lead nowhere; what the terminal's encoding lacks is printed as `?`.

    Python has None for a stream that was closed before it began, and the next file that is opened would get
    its number.
    """
    for number in range(3):
        with suppress(OSError):
            os.fstat(number)
            continue
        os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    sys.stdin = sys.stdin or os.fdopen(0, "r", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
