"""The evidence script's output, taken apart into its sections. Pure."""

import re
from dataclasses import dataclass

_END = "end"


class TornError(ValueError):
    """The output does not end as the script ends it: something is missing."""


@dataclass(frozen=True)
class Section:
    """What one command wrote, and how it ended (127: there is no such command)."""

    text: str
    code: int

    @property
    def first_line(self) -> str:
        """What it says first, cut short."""
        text = self.text.strip()
        return text.splitlines()[0][:120] if text else f"exit code {self.code}"


def sections(output: bytes, nonce: str) -> dict[str, Section]:
    """The sections by name.

    A section is whatever stands before its line `@NONCE NAME CODE`. The nonce is made anew for each run, so
    nothing that a pod or a node contains can look like such a line.

    Raises:
        TornError: The last section is missing.
    """
    line = re.compile(rb"\n@" + re.escape(nonce.encode()) + rb" ([^ \n]+) (\d+)\n")
    found: dict[str, Section] = {}
    start = 0
    for match in line.finditer(output):
        name = match[1].decode("utf-8", "replace")
        found[name] = Section(output[start : match.start()].decode("utf-8", "replace"), int(match[2]))
        start = match.end()
    if _END not in found:
        raise TornError("The evidence from the node is incomplete.")
    del found[_END]
    return found
