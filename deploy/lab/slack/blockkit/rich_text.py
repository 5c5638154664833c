"""Rich text: what Slack's own editor writes, and apps may write, too."""

from typing import Any

from deploy.lab.slack.blockkit.problems import Problems, type_of

_LEAVES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "text": (("text",), ("style",)),
    "link": (("url",), ("text", "unsafe", "style")),
    "emoji": (("name",), ("unicode", "skin_tone", "style", "url")),
    "user": (("user_id",), ("style",)),
    "usergroup": (("usergroup_id",), ("style",)),
    "channel": (("channel_id",), ("style",)),
    "broadcast": (("range",), ("style",)),
    "color": (("value",), ()),
    "date": (("timestamp", "format"), ("url", "fallback", "style")),
    "team": (("team_id",), ("style",)),
}
_STYLES = ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink")
_MANY = 10_000


def rich_text(problems: Problems, value: dict[str, Any], pointer: str) -> None:
    """A rich_text block, or a rich_text cell of a table."""
    problems.fields(value, pointer, required=("elements",), optional=("block_id",))
    here = f"{pointer}/elements"
    for index, part in enumerate(problems.items(value.get("elements", []), here, most=_MANY)):
        _part(problems, part, f"{here}/{index}")


def _part(problems: Problems, part: Any, pointer: str) -> None:
    kind = type_of(part)
    if kind == "rich_text_section":
        problems.fields(part, pointer, required=("elements",))
        _leaves(problems, part, pointer)
    elif kind in {"rich_text_preformatted", "rich_text_quote"}:
        problems.fields(part, pointer, required=("elements",), optional=("border", "language"))
        _leaves(problems, part, pointer)
    elif kind == "rich_text_list":
        problems.fields(
            part, pointer, required=("elements", "style"), optional=("indent", "offset", "border")
        )
        problems.choice(part, "style", pointer, ("bullet", "ordered"))
        problems.integer(part, "indent", pointer, least=0, most=8)
        here = f"{pointer}/elements"
        for index, item in enumerate(problems.items(part.get("elements", []), here, most=_MANY)):
            if isinstance(item, dict) and item.get("type") == "rich_text_section":
                _part(problems, item, f"{here}/{index}")
            else:
                problems.add("must be a rich_text_section", f"{here}/{index}")
    else:
        problems.add(f"unsupported type: {kind}", f"{pointer}/type")


def _leaves(problems: Problems, part: dict[str, Any], pointer: str) -> None:
    here = f"{pointer}/elements"
    for index, leaf in enumerate(problems.items(part.get("elements", []), here, most=_MANY, least=0)):
        place = f"{here}/{index}"
        kind = type_of(leaf)
        if kind is None or kind not in _LEAVES:
            problems.add(f"unsupported type: {kind}", f"{place}/type")
            continue
        required, optional = _LEAVES[kind]
        problems.fields(leaf, place, required=required, optional=optional)
        if kind == "text":
            problems.optional_string(leaf, "text", place, longest=_MANY)
        if "style" in leaf:
            problems.fields(leaf["style"], f"{place}/style", optional=_STYLES)
