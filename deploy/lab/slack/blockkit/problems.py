"""Collecting what is wrong with a JSON document, each problem with the place, in Slack's words."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Problems:
    """Slack's `response_metadata.messages`, in the order of the document."""

    found: list[tuple[str, str]] = field(default_factory=list)

    def add(self, what: str, pointer: str) -> None:
        """Notes a problem at a JSON pointer."""
        self.found.append((what, pointer))

    @property
    def errors(self) -> list[str]:
        """Such as `must be less than 151 characters [json-pointer:/blocks/0/text/text]`."""
        return [f"{what} [json-pointer:{pointer}]" for what, pointer in self.found]

    def string(self, value: Any, pointer: str, *, longest: int, shortest: int = 1) -> bool:
        """Checks a string's type and length in characters; whether it is fine."""
        if not isinstance(value, str):
            self.add("must provide a string", pointer)
        elif len(value) > longest:
            self.add(f"must be less than {longest + 1} characters", pointer)
        elif len(value) < shortest:
            self.add(f"must be more than {shortest - 1} characters", pointer)
        else:
            return True
        return False

    def optional_string(self, owner: dict[str, Any], name: str, pointer: str, *, longest: int) -> None:
        """Checks a string that may be absent."""
        if name in owner:
            self.string(owner[name], f"{pointer}/{name}", longest=longest)

    def boolean(self, owner: dict[str, Any], name: str, pointer: str) -> None:
        """Checks a boolean that may be absent."""
        if name in owner and not isinstance(owner[name], bool):
            self.add("must be a boolean", f"{pointer}/{name}")

    def choice(self, owner: dict[str, Any], name: str, pointer: str, choices: Collection[str]) -> None:
        """Checks a string that may be absent and is one of a few."""
        if name in owner and owner[name] not in choices:
            self.add("must be a valid enum value", f"{pointer}/{name}")

    def integer(self, owner: dict[str, Any], name: str, pointer: str, *, least: int, most: int) -> None:
        """Checks an integer that may be absent."""
        if name not in owner:
            return
        value = owner[name]
        if isinstance(value, bool) or not isinstance(value, int):
            self.add("must be an integer", f"{pointer}/{name}")
        elif not least <= value <= most:
            self.add(f"must be between {least} and {most}", f"{pointer}/{name}")

    def items(self, value: Any, pointer: str, *, most: int, least: int = 1) -> list[Any]:
        """Checks a list's type and length; its items, or none."""
        if not isinstance(value, list):
            self.add("must provide an array", pointer)
            return []
        if len(value) > most:
            self.add(f"no more than {most} items allowed", pointer)
        elif len(value) < least:
            self.add(f"no fewer than {least} items allowed", pointer)
        return value

    def fields(
        self, value: Any, pointer: str, *, required: Collection[str] = (), optional: Collection[str] = ()
    ) -> dict[str, Any] | None:
        """Checks an object: all of `required` there, nothing beside `required`, `optional` and `type`."""
        if not isinstance(value, dict):
            self.add("must provide an object", pointer)
            return None
        for name in required:
            if name not in value:
                self.add(f"missing required field: {name}", pointer)
        for name in value:
            if name not in required and name not in optional and name != "type":
                self.add(f"invalid additional property: {name}", pointer)
        return value


def type_of(value: Any) -> str | None:
    """The `type` of an object as a string, whatever it is; None when there is none."""
    kind = value.get("type") if isinstance(value, dict) else None
    return None if kind is None else str(kind)
