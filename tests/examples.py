"""How many examples a property is tried with: few in `make test`, many times as many in `make soak`."""

import os

_TIMES = int(os.environ.get("EXAMPLES_TIMES", "1"))


def examples(few: int) -> int:
    """The number for `max_examples`, from the one for `make test`."""
    return few * _TIMES
