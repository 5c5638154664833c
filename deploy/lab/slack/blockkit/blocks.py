"""The blocks of a message or a modal, and the limits of all of them together."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from deploy.lab.slack.blockkit import composition, elements
from deploy.lab.slack.blockkit.composition import PLAIN
from deploy.lab.slack.blockkit.problems import Problems, type_of
from deploy.lab.slack.blockkit.rich_text import rich_text
from deploy.lab.slack.errors import SlackError

IN_MESSAGE, IN_MODAL = 50, 100
"""How many blocks they take."""

_LONGEST_MESSAGE = 13_200
"""Characters of all texts of a message's blocks; undocumented, measured in slackapi/bolt-js#2509."""

_LONGEST_MARKDOWN = 12_000
_LONGEST_TABLE = 10_000


def check(value: Any, file_known: elements.FileKnown, *, most: int = IN_MESSAGE) -> list[dict[str, Any]]:
    """Checks the `blocks` of a message or a modal.

    Args:
        value: As parsed from JSON.
        file_known: For `slack_file`.
        most: IN_MESSAGE or IN_MODAL.

    Returns:
        The blocks, each with a `block_id`.

    Raises:
        SlackError: `invalid_blocks_format`, `invalid_blocks` with `errors` and `response_metadata.messages`,
            `invalid_attachments` for a second table, or `msg_blocks_too_long`.
    """
    if not isinstance(value, list):
        raise SlackError("invalid_blocks_format")
    problems = Problems()
    rules = _Rules(problems, file_known)
    for index, block in enumerate(problems.items(value, "/blocks", most=most, least=0)):
        rules.block(block, f"/blocks/{index}")
    if rules.markdown > _LONGEST_MARKDOWN:
        problems.add(f"must be less than {_LONGEST_MARKDOWN + 1} characters", "/blocks")
    if problems.found:
        raise SlackError(
            "invalid_blocks",
            errors=problems.errors,
            response_metadata={"messages": [f"[ERROR] {error}" for error in problems.errors]},
        )
    if sum(block["type"] == "table" for block in value) > 1:
        messages = ["[ERROR] only_one_table_allowed"]
        raise SlackError("invalid_attachments", response_metadata={"messages": messages})
    if most == IN_MESSAGE and _characters(value) > _LONGEST_MESSAGE:
        raise SlackError("msg_blocks_too_long")
    return _with_ids(value)


def _with_ids(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    taken = {block.get("block_id") for block in blocks}
    done = []
    for index, block in enumerate(blocks):
        number = index
        while "block_id" not in block and f"b{number:04d}" in taken:
            number += IN_MODAL
        done.append({"block_id": f"b{number:04d}", **block})
    return done


def _characters(value: Any, name: str = "") -> int:
    if isinstance(value, str):
        return 0 if name in {"type", "block_id", "action_id", "style", "value"} else len(value)
    if isinstance(value, dict):
        return sum(_characters(item, key) for key, item in value.items())
    if isinstance(value, list):
        return sum(_characters(item) for item in value)
    return 0


@dataclass(slots=True)
class _Rules:
    """What each type of block may hold; `markdown` is the length of all markdown blocks so far."""

    problems: Problems
    file_known: elements.FileKnown
    markdown: int = 0
    block_ids: set[str] = field(default_factory=set)

    def block(self, value: Any, pointer: str) -> None:
        if not isinstance(value, dict):
            self.problems.add("must provide an object", pointer)
            return
        rules: dict[str, Callable[[dict[str, Any], str], None]] = {
            "actions": self._actions,
            "context": self._context,
            "divider": self._divider,
            "header": self._header,
            "image": self._image,
            "input": self._input,
            "markdown": self._markdown,
            "rich_text": self._rich_text,
            "section": self._section,
            "table": self._table,
        }
        kind = type_of(value)
        if kind is None:
            self.problems.add("missing required field: type", pointer)
        elif kind not in rules:
            self.problems.add(f"unsupported type: {kind}", f"{pointer}/type")
        else:
            rules[kind](value, pointer)
            self._identifiers(value, pointer)

    def _identifiers(self, block: dict[str, Any], pointer: str) -> None:
        if "block_id" in block and self.problems.string(
            block["block_id"], f"{pointer}/block_id", longest=255
        ):
            if block["block_id"] in self.block_ids:
                self.problems.add("block_id already exists", f"{pointer}/block_id")
            self.block_ids.add(block["block_id"])
        items = block.get("elements") if block["type"] == "actions" else None
        seen: set[Any] = set()
        for index, item in enumerate(items if isinstance(items, list) else []):
            action_id = item.get("action_id") if isinstance(item, dict) else None
            if isinstance(action_id, str) and action_id in seen:
                self.problems.add("action_id already exists", f"{pointer}/elements/{index}/action_id")
            seen.add(action_id if isinstance(action_id, str) else None)

    def _section(self, block: dict[str, Any], pointer: str) -> None:
        self.problems.fields(block, pointer, optional=("block_id", "text", "fields", "accessory", "expand"))
        if "text" not in block and "fields" not in block:
            self.problems.add("missing required field: text", pointer)
        if "text" in block:
            composition.text(self.problems, block["text"], f"{pointer}/text")
        if "fields" in block:
            here = f"{pointer}/fields"
            for index, item in enumerate(self.problems.items(block["fields"], here, most=10)):
                composition.text(self.problems, item, f"{here}/{index}", longest=2000)
        if "accessory" in block:
            here = f"{pointer}/accessory"
            self._element(block["accessory"], here, elements.ACCESSORY)
        self.problems.boolean(block, "expand", pointer)

    def _element(self, value: Any, pointer: str, allowed: frozenset[str]) -> None:
        elements.element(self.problems, value, pointer, allowed, self.file_known)

    def _actions(self, block: dict[str, Any], pointer: str) -> None:
        self.problems.fields(block, pointer, required=("elements",), optional=("block_id",))
        here = f"{pointer}/elements"
        for index, item in enumerate(self.problems.items(block.get("elements", [{}]), here, most=25)):
            self._element(item, f"{here}/{index}", elements.INTERACTIVE)

    def _context(self, block: dict[str, Any], pointer: str) -> None:
        self.problems.fields(block, pointer, required=("elements",), optional=("block_id",))
        here = f"{pointer}/elements"
        for index, item in enumerate(self.problems.items(block.get("elements", [{}]), here, most=10)):
            if isinstance(item, dict) and item.get("type") == "image":
                elements.image(self.problems, item, f"{here}/{index}", self.file_known)
            else:
                composition.text(self.problems, item, f"{here}/{index}")

    def _divider(self, block: dict[str, Any], pointer: str) -> None:
        self.problems.fields(block, pointer, optional=("block_id",))

    def _header(self, block: dict[str, Any], pointer: str) -> None:
        self.problems.fields(block, pointer, required=("text",), optional=("block_id", "level"))
        if "text" in block:
            composition.text(self.problems, block["text"], f"{pointer}/text", longest=150, kinds=PLAIN)

    def _image(self, block: dict[str, Any], pointer: str) -> None:
        elements.image(self.problems, block, pointer, self.file_known, block=True)

    def _input(self, block: dict[str, Any], pointer: str) -> None:
        optional = ("block_id", "hint", "optional", "dispatch_action")
        self.problems.fields(block, pointer, required=("label", "element"), optional=optional)
        for name in ("label", "hint"):
            if name in block:
                composition.text(self.problems, block[name], f"{pointer}/{name}", longest=2000, kinds=PLAIN)
        if "element" in block:
            self._element(block["element"], f"{pointer}/element", elements.INPUT)

    def _markdown(self, block: dict[str, Any], pointer: str) -> None:
        self.problems.fields(block, pointer, required=("text",), optional=("block_id",))
        if "text" in block and self.problems.string(
            block["text"], f"{pointer}/text", longest=_LONGEST_MARKDOWN
        ):
            self.markdown += len(block["text"])

    def _rich_text(self, block: dict[str, Any], pointer: str) -> None:
        rich_text(self.problems, block, pointer)

    def _table(self, block: dict[str, Any], pointer: str) -> None:
        self.problems.fields(block, pointer, required=("rows",), optional=("block_id", "column_settings"))
        here = f"{pointer}/rows"
        for index, row in enumerate(self.problems.items(block.get("rows", []), here, most=100)):
            for column, cell in enumerate(self.problems.items(row, f"{here}/{index}", most=20)):
                self._cell(cell, f"{here}/{index}/{column}")
        if _characters(block) > _LONGEST_TABLE:
            self.problems.add(f"must be less than {_LONGEST_TABLE + 1} characters", here)
        settings = f"{pointer}/column_settings"
        for index, item in enumerate(
            self.problems.items(block.get("column_settings", []), settings, most=20, least=0)
        ):
            if item is None:  # Slack's way to leave a column as it is
                continue
            if (
                self.problems.fields(item, f"{settings}/{index}", optional=("align", "is_wrapped"))
                is not None
            ):
                self.problems.choice(item, "align", f"{settings}/{index}", ("left", "center", "right"))
                self.problems.boolean(item, "is_wrapped", f"{settings}/{index}")

    def _cell(self, cell: Any, pointer: str) -> None:
        kind = type_of(cell)
        if kind == "raw_text":
            self.problems.fields(cell, pointer, required=("text",))
            self.problems.optional_string(cell, "text", pointer, longest=_LONGEST_TABLE)
        elif kind == "rich_text":
            rich_text(self.problems, cell, pointer)
        else:
            self.problems.add(f"unsupported type: {kind}", f"{pointer}/type")
