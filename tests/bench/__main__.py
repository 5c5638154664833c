"""Measures what podcap promises: `make bench`, or `python -m tests.bench [GROUP…]`.

Prints a table, writes var/bench.json (a list of {name, value, unit, target, holds}), and ends with 1 when a
target is not kept. A group is a module of this package with a function `figures`, given an empty folder.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.bench import between, exec_stream, spool, summary, tap, trail
from tests.bench.figure import Figure

GROUPS: dict[str, Callable[[Path], Iterable[Figure]]] = {
    "trail": trail.figures,
    "tap": tap.figures,
    "exec": exec_stream.figures,
    "spool": spool.figures,
    "summary": summary.figures,
    "between": between.figures,
}
"""The groups in the order in which they are measured."""

_RESULT = Path("var/bench.json")


def main(names: Sequence[str]) -> int:
    """Measures the groups named, or all; 0 when every target is kept, 1 when not, 2 for an unknown name."""
    unknown = set(names) - set(GROUPS)
    if unknown:
        print(
            f"There is no group {', '.join(sorted(unknown))}: there are {', '.join(GROUPS)}.", file=sys.stderr
        )
        return 2
    measured = []
    _RESULT.parent.mkdir(exist_ok=True)
    for name in names or GROUPS:
        with tempfile.TemporaryDirectory(prefix="bench-", dir=_RESULT.parent) as folder:
            for figure in GROUPS[name](Path(folder)):
                print(_line(figure), flush=True)
                measured.append(figure)
    figures = [asdict(figure) | {"holds": figure.holds} for figure in measured]
    _RESULT.write_text(json.dumps(figures, indent=2) + "\n")
    return 0 if all(figure.holds for figure in measured) else 1


def _line(figure: Figure) -> str:
    target = "" if figure.target is None else f"at most {figure.target:g} {figure.unit}"
    kept = "" if figure.target is None else "kept" if figure.holds else "NOT KEPT"
    return f"{figure.name:<62} {figure.value:>10.3f} {figure.unit:<4} {target:<18} {kept}".rstrip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
