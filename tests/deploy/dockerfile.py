"""Reads a Dockerfile as far as its tests ask: instructions in order, and what apt-get installs."""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Stage:
    """One `FROM` and what follows it: (instruction, rest of its line) in order."""

    base: str
    name: str
    instructions: tuple[tuple[str, str], ...]

    def all(self, instruction: str) -> list[str]:
        """The rests of all lines with this instruction."""
        return [rest for name, rest in self.instructions if name == instruction]

    @property
    def packages(self) -> set[str]:
        """What `apt-get install` names in this stage."""
        found: set[str] = set()
        for run in self.all("RUN"):
            for command in re.findall(r"apt-get install ([^&|;]*)", run):
                found |= {word for word in command.split() if not word.startswith("-")}
        return found


def stages(path: Path) -> list[Stage]:
    """The stages of a Dockerfile; a line that ends in a backslash goes on in the next."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    arguments: dict[str, str] = {}
    found: list[tuple[str, str, list[tuple[str, str]]]] = []
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        instruction, _, rest = line.strip().partition(" ")
        rest = " ".join(rest.split())
        if instruction == "ARG" and not found:
            name, _, value = rest.partition("=")
            arguments[name] = value
        elif instruction == "FROM":
            base, _, name = rest.partition(" AS ")
            for argument, value in arguments.items():
                base = base.replace(f"${{{argument}}}", value)
            found.append((base, name, []))
        elif instruction:
            found[-1][2].append((instruction, rest))
    return [Stage(base, name, tuple(instructions)) for base, name, instructions in found]
