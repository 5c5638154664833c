"""Modals: the `view` of views.open."""

from typing import Any

from deploy.lab.slack.blockkit import blocks, composition
from deploy.lab.slack.blockkit.composition import PLAIN
from deploy.lab.slack.blockkit.elements import FileKnown
from deploy.lab.slack.blockkit.problems import Problems
from deploy.lab.slack.errors import SlackError, invalid_arguments

_LARGEST = 250_000
_OPTIONAL = (
    *("submit", "close", "callback_id", "private_metadata", "external_id"),
    *("clear_on_close", "notify_on_close", "submit_disabled"),
)


def check(view: Any, file_known: FileKnown) -> dict[str, Any]:
    """Checks a modal.

    Returns:
        The view, its blocks with their ids.

    Raises:
        SlackError: `invalid_arguments`, `view_too_large` or what `blocks.check` raises.
    """
    problems = Problems()
    found = problems.fields(view, "/view", required=("title", "blocks"), optional=_OPTIONAL)
    if found is None:
        raise invalid_arguments(*problems.errors)
    if len(str(view)) > _LARGEST:
        raise SlackError("view_too_large")
    if found.get("type") != "modal":
        problems.add("must be a valid enum value", "/view/type")
    for name in ("title", "submit", "close"):
        if name in found:
            composition.text(problems, found[name], f"/view/{name}", longest=24, kinds=PLAIN)
    problems.optional_string(found, "callback_id", "/view", longest=255)
    if found.get("private_metadata"):
        problems.optional_string(found, "private_metadata", "/view", longest=3000)
    listed = found.get("blocks")
    has_input = isinstance(listed, list) and any(
        isinstance(block, dict) and block.get("type") == "input" for block in listed
    )
    if has_input and "submit" not in found:
        problems.add("missing required field: submit", "/view")
    if problems.found:
        raise invalid_arguments(*problems.errors)
    return {**found, "blocks": blocks.check(listed, file_known, most=blocks.IN_MODAL)}
