"""Blocks as lines of text."""

from collections.abc import Callable
from typing import Any

from deploy.lab.slack.mrkdwn import Style, plain, render
from deploy.lab.slack.world import World

Json = dict[str, Any]

_RULE = "─" * 40
_MENTIONS = {
    "link": ("url", "<{}|{}>"),
    "user": ("user_id", "<@{}>"),
    "channel": ("channel_id", "<#{}>"),
    "usergroup": ("usergroup_id", "<!subteam^{}>"),
    "broadcast": ("range", "<!{}>"),
}
"""Leaves of rich text that mrkdwn can say, too."""


class Layout:
    """Turns blocks into lines."""

    def __init__(self, world: World, style: Style) -> None:
        self._world = world
        self._style = style
        self._rules: dict[str, Callable[[Json], list[str]]] = {
            "actions": self._actions,
            "context": self._context,
            "divider": lambda _block: [style.dim(_RULE)],
            "header": lambda block: [style.bold(plain(block["text"]["text"])), ""],
            "image": self._image,
            "input": lambda block: [f"{plain(block['label']['text'])}: {self._element(block['element'])}"],
            "markdown": lambda block: str(block["text"]).split("\n"),
            "rich_text": self._rich_text,
            "section": self._section,
            "table": self._table,
        }

    def text(self, mrkdwn: str) -> list[str]:
        """Lines of a message's `text`."""
        return render(mrkdwn, self._world, self._style).split("\n") if mrkdwn else []

    def block(self, block: Json) -> list[str]:
        """Lines of one block."""
        return self._rules[block["type"]](block)

    def _object(self, value: Json) -> str:
        if value["type"] == "mrkdwn":
            return render(value["text"], self._world, self._style)
        return plain(value["text"])

    def _section(self, block: Json) -> list[str]:
        lines = self._object(block["text"]).split("\n") if "text" in block else []
        for field in block.get("fields", []):
            lines += self._object(field).split("\n")
        if "accessory" in block:
            lines.append(self._element(block["accessory"]))
        return lines

    def _context(self, block: Json) -> list[str]:
        whole = "  ".join(
            self._element(item) if item["type"] == "image" else self._object(item)
            for item in block["elements"]
        )
        return [self._style.dim(f"│ {line}") for line in whole.split("\n")]

    def _actions(self, block: Json) -> list[str]:
        return [" ".join(self._element(item) for item in block["elements"])]

    def _image(self, block: Json) -> list[str]:
        title = f"{plain(block['title']['text'])}: " if "title" in block else ""
        return [f"[image] {title}{block['alt_text']}"]

    def _element(self, element: Json) -> str:
        kind = element["type"]
        if kind == "button":
            return self._style.bold(f"[ {plain(element['text']['text'])} ]")
        if kind == "image":
            return f"[image] {element['alt_text']}"
        if kind in {"checkboxes", "radio_buttons", "overflow"}:
            return "  ".join(f"( ) {plain(option['text']['text'])}" for option in element["options"])
        chosen = element.get("initial_option") or element.get("placeholder")
        text = chosen.get("text", "") if chosen else ""
        return f"[ {text['text'] if isinstance(text, dict) else text or kind} ▾ ]"

    def _table(self, block: Json) -> list[str]:
        rows = [[self._cell(cell) for cell in row] for row in block["rows"]]
        columns = max(len(row) for row in rows)
        rows = [row + [""] * (columns - len(row)) for row in rows]
        widths = [max(len(row[column]) for row in rows) for column in range(columns)]
        settings = [setting or {} for setting in block.get("column_settings", [])]
        settings += [{}] * (columns - len(settings))
        marks = {"left": "<", "right": ">", "center": "^"}
        forms = [
            f"{{:{marks[setting.get('align', 'left')]}{width}}}"
            for setting, width in zip(settings, widths, strict=False)
        ]
        return [
            "  ".join(form.format(cell) for form, cell in zip(forms, row, strict=True)).rstrip()
            for row in rows
        ]

    def _cell(self, cell: Json) -> str:
        if cell["type"] == "raw_text":
            return str(cell["text"]).replace("\n", " ")
        return " ".join(Layout(self._world, Style()).block(cell))

    def _rich_text(self, block: Json) -> list[str]:
        lines = []
        for part in block["elements"]:
            if part["type"] == "rich_text_list":
                mark = part["style"]
                for number, item in enumerate(part["elements"], start=1):
                    lead = "• " if mark == "bullet" else f"{number}. "
                    lines.append("  " * part.get("indent", 0) + lead + self._leaves(item))
            else:
                lead = "> " if part["type"] == "rich_text_quote" else ""
                lines += [lead + line for line in self._leaves(part).split("\n")]
        return lines

    def _leaves(self, part: Json) -> str:
        return "".join(self._leaf(leaf) for leaf in part["elements"])

    def _leaf(self, leaf: Json) -> str:
        kind = leaf["type"]
        if kind == "text":
            return self._styled(leaf["text"], leaf.get("style", {}))
        if kind == "emoji":
            return plain(f":{leaf['name']}:")
        if kind in _MENTIONS:
            name, form = _MENTIONS[kind]
            return render(form.format(leaf[name], leaf.get("text", "")), self._world, self._style)
        return str(leaf.get("fallback") or leaf.get("value") or "")

    def _styled(self, text: str, style: Json) -> str:
        if style.get("code"):
            return self._style.code(text)
        if style.get("bold"):
            return self._style.bold(text)
        return self._style.italic(text) if style.get("italic") else text
