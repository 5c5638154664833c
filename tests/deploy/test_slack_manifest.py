"""The Slack app manifest: what podcap needs of Slack, no more, in the form that Slack takes."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from slack_sdk import WebClient

from bot.terminal.checks.slack import LOOKING_SCOPES, SCOPES
from deploy.lab.slack.scopes import METHODS

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "slack" / "manifest.yaml"

# The part of Slack's schema that podcap uses (docs.slack.dev/reference/app-manifest; the repository
# slackapi/manifest-schema has it as JSON schema, version 1): where, its type, and the form of its text.
SCHEMA: dict[str, tuple[type, str]] = {
    "_metadata.major_version": (int, "[12]"),
    "_metadata.minor_version": (int, r"\d"),
    "display_information.name": (str, r".{1,35}"),
    "display_information.description": (str, r".{1,140}"),
    "display_information.background_color": (str, r"#([0-9a-f]{3}){1,2}"),
    "features.bot_user.display_name": (str, r"[a-z0-9_.-]{1,80}"),
    "features.bot_user.always_online": (bool, ".*"),
    "features.slash_commands[].command": (str, r"/[a-z0-9_-]{1,31}"),
    "features.slash_commands[].description": (str, r".{1,2000}"),
    "features.slash_commands[].usage_hint": (str, r".{1,1000}"),
    "features.slash_commands[].should_escape": (bool, ".*"),
    "features.slash_commands[].url": (str, r"https://\S{1,2990}"),
    "oauth_config.scopes.bot[]": (str, r"[a-z]+(:[a-z.]+)*"),
    "settings.interactivity.is_enabled": (bool, ".*"),
    "settings.interactivity.request_url": (str, r"https://\S{1,2990}"),
    "settings.org_deploy_enabled": (bool, ".*"),
    "settings.socket_mode_enabled": (bool, ".*"),
    "settings.token_rotation_enabled": (bool, ".*"),
}


def over_http(text: str) -> str:
    """The manifest as its own first lines say how to change it."""
    with_urls = re.sub(r"# ((?:request_)?url: )", r"\1", text)
    return with_urls.replace("socket_mode_enabled: true", "socket_mode_enabled: false")


@pytest.fixture(params=["socket mode", "http"])
def manifest(request: pytest.FixtureRequest) -> dict[str, Any]:
    text = FILE.read_text()
    found: dict[str, Any] = yaml.safe_load(text if request.param == "socket mode" else over_http(text))
    return found


def leaves(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one, f"{at}.{key}" if at else key)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one, f"{at}[]")
    else:
        yield at, value


def test_everything_in_it_is_something_that_slack_knows_and_takes(manifest: dict[str, Any]) -> None:
    for place, value in leaves(manifest):
        kind, form = SCHEMA[place]
        assert type(value) is kind, place
        assert re.fullmatch(form, str(value)), place


def methods_called() -> set[str]:
    """Slack's methods that podcap's code names, as slack_sdk spells them: `chat_postMessage`."""
    known = {name for name in dir(WebClient) if re.fullmatch(r"[a-z]+_\w+", name)}
    names = {
        node.attr
        for folder in ("bot", "workers")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
    }
    return {name.replace("_", ".") for name in names & known}


def test_its_scopes_are_those_of_the_methods_that_podcap_calls(manifest: dict[str, Any]) -> None:
    methods = methods_called()
    assert {"chat.postMessage", "files.completeUploadExternal", "conversations.info"} <= methods
    # Which of conversations.info's four scopes is needed depends on the conversation; podcap meets each kind.
    needed = {scope for method in methods for scope in METHODS[method]}
    # users.info shows an e-mail address only with it.
    needed |= {"users:read.email", "commands"}
    # No capture is made in direct messages, so nothing is looked for there.
    needed -= {"im:history", "mpim:history"}
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == needed
    assert len(needed) == len(manifest["oauth_config"]["scopes"]["bot"])


def test_the_doctor_looks_for_the_scopes_of_the_manifest(manifest: dict[str, Any]) -> None:
    assert {*SCOPES, *LOOKING_SCOPES} == set(manifest["oauth_config"]["scopes"]["bot"])
    assert not set(SCOPES) & set(LOOKING_SCOPES)


def test_every_scope_says_why_it_is_there() -> None:
    lines = [line.strip() for line in FILE.read_text().partition("    bot:\n")[2].splitlines()]
    block = lines[: lines.index("settings:")]
    assert block[0].startswith("# ")
    assert all(line.startswith(("# ", "- ")) for line in block)


def test_it_has_the_command_and_the_buttons_that_podcap_listens_to(manifest: dict[str, Any]) -> None:
    listens = "\n".join(path.read_text() for path in (ROOT / "bot" / "listeners").glob("*.py"))
    commands = set(re.findall(r'@app\.command\("(/\w+)"\)', listens))
    assert {one["command"] for one in manifest["features"]["slash_commands"]} == commands
    assert manifest["settings"]["interactivity"]["is_enabled"] is ("app.action(" in listens)
    assert ("event_subscriptions" in manifest["settings"]) is ("@app.event(" in listens)
    assert ("shortcuts" in manifest["features"]) is ("@app.shortcut(" in listens)


def test_over_http_slack_gets_an_address_for_everything_and_over_socket_mode_none() -> None:
    text = FILE.read_text()
    assert "http" not in yaml.safe_dump(yaml.safe_load(text))
    http = yaml.safe_load(over_http(text))
    address = "https://YOUR-HOST/slack/events"
    assert http["settings"]["interactivity"]["request_url"] == address
    assert http["features"]["slash_commands"][0]["url"] == address
    assert not http["settings"]["socket_mode_enabled"]
