"""The table of what was killed in which state, and what came of it; docs/faults.md has it."""

from collections import defaultdict
from dataclasses import dataclass, field

Key = tuple[str, str]
"""Process and state."""


@dataclass
class Table:
    """How many captures were tried, and how many of them ended well, by process, state and database."""

    tried: dict[tuple[Key, str], int] = field(default_factory=lambda: defaultdict(int))
    well: dict[tuple[Key, str], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, process: str, state: str, database: str, *, well: bool) -> None:
        """One more."""
        self.tried[(process, state), database] += 1
        self.well[(process, state), database] += well

    def rows(self, *databases: str) -> list[str]:
        """Lines of Markdown."""
        head = ["killed", "while a capture was", *databases]
        keys = dict.fromkeys(key for key, _ in self.tried)
        cells = [[*key, *(self._cell(key, database) for database in databases)] for key in keys]
        lines = [head, ["---"] * len(head), *cells]
        return [f"| {' | '.join(line)} |" for line in lines]

    def _cell(self, key: Key, database: str) -> str:
        tried = self.tried.get((key, database), 0)
        return f"{self.well.get((key, database), 0)} of {tried}" if tried else ""
