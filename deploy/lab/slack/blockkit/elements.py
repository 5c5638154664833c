"""Block elements: buttons, menus, pickers, inputs, images."""

from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urlsplit

from deploy.lab.slack.blockkit import composition
from deploy.lab.slack.blockkit.composition import PLAIN
from deploy.lab.slack.blockkit.problems import Problems, type_of

_MENU = ("confirm", "focus_on_load", "placeholder", "max_selected_items")
_LISTS = ("options", "option_groups", "initial_option", "initial_options")
_PICKED = ("initial_user", "initial_users", "initial_channel", "initial_channels", "initial_conversation")
_CONVERSATIONS = (
    "initial_conversations",
    "default_to_current_conversation",
    "filter",
    "response_url_enabled",
)
_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "button": ("text", "url", "value", "style", "confirm", "accessibility_label"),
    "static_select": (*_MENU, *_LISTS),
    "multi_static_select": (*_MENU, *_LISTS),
    "external_select": (*_MENU, "min_query_length", "initial_option"),
    "users_select": (*_MENU, *_PICKED),
    "multi_users_select": (*_MENU, *_PICKED),
    "channels_select": (*_MENU, *_PICKED, "response_url_enabled"),
    "conversations_select": (*_MENU, *_PICKED, *_CONVERSATIONS),
    "overflow": ("options", "confirm"),
    "checkboxes": ("options", "initial_options", "confirm", "focus_on_load"),
    "radio_buttons": ("options", "initial_option", "confirm", "focus_on_load"),
    "datepicker": ("initial_date", "confirm", "focus_on_load", "placeholder"),
    "timepicker": ("initial_time", "confirm", "focus_on_load", "placeholder", "timezone"),
    "datetimepicker": ("initial_date_time", "confirm", "focus_on_load"),
    "plain_text_input": (
        *("initial_value", "multiline", "min_length", "max_length", "placeholder"),
        *("dispatch_action_config", "focus_on_load"),
    ),
    "number_input": (
        *("is_decimal_allowed", "initial_value", "min_value", "max_value", "placeholder"),
        *("dispatch_action_config", "focus_on_load"),
    ),
}

INPUT_ONLY = frozenset({"plain_text_input", "number_input"})
INPUT = frozenset(_ATTRIBUTES) - {"button", "overflow"}
INTERACTIVE = frozenset(_ATTRIBUTES) - INPUT_ONLY
ACCESSORY = INTERACTIVE | {"image"}
_CHOOSING = {"checkboxes": 10, "radio_buttons": 10, "overflow": 5}

FileKnown = Callable[[str], bool]
"""Whether a file id or URL is an image file that is shared and can be shown in a block."""


def element(
    problems: Problems, value: Any, pointer: str, allowed: Collection[str], file_known: FileKnown
) -> None:
    """One element of a block that takes the `allowed` types."""
    kind = type_of(value)
    if not isinstance(value, dict):
        problems.add("must provide an object", pointer)
    elif kind is None:
        problems.add("missing required field: type", pointer)
    elif kind not in allowed:
        problems.add(f"unsupported type: {kind}", f"{pointer}/type")
    elif kind == "image":
        image(problems, value, pointer, file_known)
    else:
        _interactive(problems, value, pointer, kind)


def image(
    problems: Problems, value: dict[str, Any], pointer: str, file_known: FileKnown, *, block: bool = False
) -> None:
    """An image, as an element or as a block: `alt_text`, and either a URL that Slack can fetch or a file."""
    extra = ("block_id", "title") if block else ()
    problems.fields(value, pointer, required=("alt_text",), optional=("image_url", "slack_file", *extra))
    problems.optional_string(value, "alt_text", pointer, longest=2000)
    if "title" in value and block:
        composition.text(problems, value["title"], f"{pointer}/title", longest=2000, kinds=PLAIN)
    if ("image_url" in value) == ("slack_file" in value):
        problems.add("must provide either image_url or slack_file", pointer)
    elif "image_url" in value:
        here = f"{pointer}/image_url"
        if problems.string(value["image_url"], here, longest=3000) and not _public(value["image_url"]):
            problems.add("downloading image failed", here)
    else:
        file = value["slack_file"]
        key = (file.get("id") or file.get("url")) if isinstance(file, dict) else None
        if not isinstance(key, str) or not file_known(key):
            problems.add("invalid slack file", f"{pointer}/slack_file")


def _public(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    inside = host in {"localhost", "::1"} or host.startswith(("127.", "10.", "192.168.")) or "." not in host
    return parts.scheme in {"http", "https"} and not inside


def _interactive(problems: Problems, value: dict[str, Any], pointer: str, kind: str) -> None:
    required = {"button": ("text",), "number_input": ("is_decimal_allowed",)}.get(kind, ())
    if kind in _CHOOSING:
        required = ("options",)
    problems.fields(value, pointer, required=required, optional=("action_id", *_ATTRIBUTES[kind]))
    problems.optional_string(value, "action_id", pointer, longest=255)
    composition.confirm(problems, value, pointer)
    problems.boolean(value, "focus_on_load", pointer)
    if "placeholder" in value:
        composition.text(problems, value["placeholder"], f"{pointer}/placeholder", longest=150, kinds=PLAIN)
    if kind == "button":
        _button(problems, value, pointer)
    elif kind in {"static_select", "multi_static_select"}:
        composition.options(problems, value, pointer)
        _initial_option(problems, value, pointer)
    elif kind in _CHOOSING and "options" in value:
        kinds = PLAIN if kind == "overflow" else composition.BOTH
        here = f"{pointer}/options"
        for index, item in enumerate(problems.items(value["options"], here, most=_CHOOSING[kind])):
            composition.option(problems, item, f"{here}/{index}", kinds=kinds)
    elif kind == "plain_text_input":
        problems.integer(value, "min_length", pointer, least=0, most=3000)
        problems.integer(value, "max_length", pointer, least=1, most=3000)
        problems.boolean(value, "multiline", pointer)


def _button(problems: Problems, value: dict[str, Any], pointer: str) -> None:
    if "text" in value:
        composition.text(problems, value["text"], f"{pointer}/text", longest=75, kinds=PLAIN)
    problems.optional_string(value, "url", pointer, longest=3000)
    problems.optional_string(value, "value", pointer, longest=2000)
    problems.optional_string(value, "accessibility_label", pointer, longest=75)
    problems.choice(value, "style", pointer, ("primary", "danger"))


def _initial_option(problems: Problems, value: dict[str, Any], pointer: str) -> None:
    if "initial_option" not in value or not isinstance(value.get("options"), list):
        return
    if value["initial_option"] not in value["options"]:
        problems.add("initial_option must be one of the options", f"{pointer}/initial_option")
