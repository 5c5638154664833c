"""Composition objects: texts, options, confirmation dialogs, files."""

from collections.abc import Collection
from typing import Any

from deploy.lab.slack.blockkit.problems import Problems, type_of

BOTH = ("plain_text", "mrkdwn")
PLAIN = ("plain_text",)


def text(
    problems: Problems, value: Any, pointer: str, *, longest: int = 3000, kinds: Collection[str] = BOTH
) -> None:
    """A text object: `plain_text` or `mrkdwn`, 1 to `longest` characters."""
    if not isinstance(value, dict):
        problems.add("must provide an object", pointer)
        return
    kind = type_of(value)
    if kind is None:
        problems.add("missing required field: type", pointer)
        return
    if kind not in kinds:
        problems.add(f"unsupported type: {kind}", f"{pointer}/type")
        return
    # `verbatim` belongs to mrkdwn and `emoji` to plain_text; Slack refuses the other.
    extra = ("emoji",) if kind == "plain_text" else ("verbatim",)
    problems.fields(value, pointer, required=("text",), optional=extra)
    for name in extra:
        problems.boolean(value, name, pointer)
    if "text" in value:
        problems.string(value["text"], f"{pointer}/text", longest=longest)


def confirm(problems: Problems, owner: dict[str, Any], pointer: str) -> None:
    """A confirmation dialog, which may be absent."""
    if "confirm" not in owner:
        return
    here = f"{pointer}/confirm"
    dialog = problems.fields(
        owner["confirm"], here, required=("title", "text", "confirm", "deny"), optional=("style",)
    )
    if dialog is None:
        return
    for name, longest, kinds in (
        ("title", 100, PLAIN),
        ("text", 300, BOTH),
        ("confirm", 30, PLAIN),
        ("deny", 30, PLAIN),
    ):
        if name in dialog:
            text(problems, dialog[name], f"{here}/{name}", longest=longest, kinds=kinds)
    problems.choice(dialog, "style", here, ("primary", "danger"))


def option(problems: Problems, value: Any, pointer: str, *, kinds: Collection[str] = PLAIN) -> None:
    """One option of a menu, of checkboxes or of radio buttons."""
    found = problems.fields(
        value, pointer, required=("text", "value"), optional=("description", "url", "accessibility_label")
    )
    if found is None:
        return
    if "text" in found:
        text(problems, found["text"], f"{pointer}/text", longest=75, kinds=kinds)
    problems.optional_string(found, "value", pointer, longest=150)
    problems.optional_string(found, "url", pointer, longest=3000)
    if "description" in found:
        text(problems, found["description"], f"{pointer}/description", longest=75, kinds=kinds)


def options(problems: Problems, owner: dict[str, Any], pointer: str) -> None:
    """A menu's `options` (1 to 100) or `option_groups` (1 to 100), one of both; values differ."""
    if ("options" in owner) == ("option_groups" in owner):
        problems.add("must provide either options or option_groups", pointer)
        return
    if "options" in owner:
        _distinct(problems, owner["options"], f"{pointer}/options")
        return
    here = f"{pointer}/option_groups"
    for index, value in enumerate(problems.items(owner["option_groups"], here, most=100)):
        place = f"{here}/{index}"
        group = problems.fields(value, place, required=("label", "options"))
        if group and "label" in group:
            text(problems, group["label"], f"{place}/label", longest=75, kinds=PLAIN)
        if group and "options" in group:
            _distinct(problems, group["options"], f"{place}/options")


def _distinct(problems: Problems, value: Any, pointer: str) -> None:
    seen = set()
    for index, item in enumerate(problems.items(value, pointer, most=100)):
        option(problems, item, f"{pointer}/{index}")
        key = str(item.get("value")) if isinstance(item, dict) else ""
        if key in seen:
            problems.add(f"duplicate value: {key}", f"{pointer}/{index}/value")
        seen.add(key)
