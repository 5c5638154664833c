"""A method's arguments: from a query, a form or JSON, as Slack takes them.

Slack's guide to its Web API: arguments come in the query, as a form, or as JSON where the method takes JSON.
A JSON body without a charset is answered with a warning; values in a form that are lists or objects are JSON.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from deploy.lab.slack.errors import SlackError, invalid_arguments

FORM_ONLY = frozenset(
    {
        "chat.getPermalink",
        "conversations.history",
        "conversations.info",
        "conversations.list",
        "conversations.members",
        "conversations.replies",
        "files.getUploadURLExternal",
        "files.info",
        "team.info",
        "usergroups.list",
        "usergroups.users.list",
        "users.info",
        "users.list",
        "users.lookupByEmail",
    }
)
"""Methods that do not take JSON: Slack does not look into such a body."""

_FALSE = {"", "0", "false", "False", "no"}
_LARGEST_PAGE = 1000


@dataclass(slots=True)
class Arguments:
    """The arguments of one call, by name, and Slack's warnings about how they came."""

    values: dict[str, Any]
    warnings: list[str] = field(default_factory=list)

    def text(self, name: str, default: str = "") -> str:
        """A string.

        Raises:
            SlackError: `invalid_arguments`, it is something else.
        """
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise invalid_arguments(f"must provide a string [json-pointer:/{name}]")
        return str(value)

    def required(self, name: str) -> str:
        """A string that must be there.

        Raises:
            SlackError: `invalid_arguments`, it is missing or empty.
        """
        value = self.text(name)
        if not value:
            raise invalid_arguments(f"missing required field: {name}")
        return value

    def flag(self, name: str) -> bool:
        """A boolean, which forms write as true, 1, false or 0."""
        value = self.values.get(name)
        return bool(value) and str(value) not in _FALSE

    def given(self, name: str) -> bool:
        """Whether the argument is there at all; None in JSON is not."""
        return self.values.get(name) is not None

    def json(self, name: str, code: str) -> Any:
        """A list or an object: itself, or JSON in a string. None when it is not there.

        Raises:
            SlackError: `code`, it is a string that is not JSON.
        """
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(code) from None

    def limit(self, default: int) -> int:
        """How many items a page may have: 1 to 1,000.

        Raises:
            SlackError: `invalid_limit`.
        """
        value = self.text("limit") or str(default)
        if not value.isdigit():
            raise SlackError("invalid_limit")
        number = int(value) or default
        if number > _LARGEST_PAGE:
            raise SlackError("invalid_limit")
        return number


async def read(request: web.Request, method: str) -> Arguments:
    """The arguments of a request.

    Raises:
        SlackError: The body is not of the form its Content-Type says.
    """
    arguments = Arguments(dict(request.query))
    if request.method != "POST" or not request.can_read_body:
        return arguments
    kind = request.content_type
    if not request.headers.get("Content-Type"):
        raise SlackError("missing_post_type")
    if kind == "application/json":
        _note_charset(request, arguments)
        values = await _json(request)
        if method in FORM_ONLY:
            return arguments
        arguments.values.update(values)
    elif kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        try:
            form = await request.post()
        except ValueError:
            raise SlackError("invalid_form_data") from None
        arguments.values.update({name: value for name, value in form.items() if isinstance(value, str)})
    else:
        raise SlackError("invalid_post_type")
    return arguments


def _note_charset(request: web.Request, arguments: Arguments) -> None:
    charset = request.charset
    if charset is None:
        arguments.warnings.append("missing_charset")
    elif charset.lower() not in {"utf-8", "utf8", "iso-8859-1"}:
        raise SlackError("invalid_charset")


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        values = json.loads(await request.read())
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(values, dict):
        raise SlackError("json_not_object")
    return values
