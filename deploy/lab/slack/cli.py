"""A person's way to the stand-in from a terminal: type commands, click, say something, read."""

import argparse
import contextlib
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

Json = dict[str, Any]


class CliError(Exception):
    """What went wrong, in a sentence."""


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Adds the subcommands."""
    commands = parser.add_subparsers(metavar="COMMAND")
    for name, help_, run in (
        ("thread", "read the latest thread of a channel, or the one at --ts", _thread),
        ("channel", "read a whole channel", _channel),
        ("ephemeral", "read what only one person saw", _ephemeral),
        ("command", "type a slash command", _command),
        ("click", "click a button by its action id", _click),
        ("say", "post a message; @podcap in it mentions the app", _say),
    ):
        command = commands.add_parser(name, help=help_)
        command.set_defaults(run=run)
        reads = name in {"thread", "channel"}
        command.add_argument("--user", default=None if reads else "alice", help="who acts or reads")
        command.add_argument("--channel", default="incidents", help="a name, an id, or @NAME")
        if name in {"thread", "click"}:
            command.add_argument("--ts", help="a message's timestamp")
        if name == "command":
            command.add_argument("--smart", action="store_true", help="with curly quotes and links")
            command.add_argument("--command", default="/podcap", dest="slash")
        if name == "say":
            command.add_argument("--thread", dest="thread_ts", help="reply to this timestamp")
        if name in {"command", "click", "say"}:
            command.add_argument("text", help="an action id" if name == "click" else "as typed")


def run(arguments: argparse.Namespace, folder: Path) -> int:
    """Runs a subcommand; 0 when the app took it, else 1."""
    path = folder / "slack.json"
    try:
        control = str(json.loads(path.read_text())["control_url"])
    except FileNotFoundError:
        print(f"No Slack stand-in runs in {folder}: {path} is not there.", file=sys.stderr)
        return 1
    try:
        act: Callable[[argparse.Namespace, str], int] = arguments.run
        return act(arguments, control)
    except CliError as error:
        print(error, file=sys.stderr)
        return 1


def _thread(arguments: argparse.Namespace, control: str) -> int:
    return _read(control, "thread", channel=arguments.channel, ts=arguments.ts, user=arguments.user)


def _channel(arguments: argparse.Namespace, control: str) -> int:
    return _read(control, "channel", channel=arguments.channel, user=arguments.user)


def _ephemeral(arguments: argparse.Namespace, control: str) -> int:
    return _read(control, "ephemeral", user=arguments.user)


def _command(arguments: argparse.Namespace, control: str) -> int:
    answer = _post(
        control,
        "command",
        user=arguments.user,
        channel=arguments.channel,
        command=arguments.slash,
        text=arguments.text,
        smart=arguments.smart,
    )
    if answer["shown"]:
        print(answer["shown"]["text"])
    print(f"({answer['error'] or 'acknowledged'} after {answer['ack_ms']} ms)", file=sys.stderr)
    return 1 if answer["error"] else 0


def _click(arguments: argparse.Namespace, control: str) -> int:
    answer = _post(
        control,
        "click",
        user=arguments.user,
        channel=arguments.channel,
        ts=arguments.ts,
        action_id=arguments.text,
    )
    print(f"({answer['error'] or 'acknowledged'} after {answer['ack_ms']} ms)", file=sys.stderr)
    return 1 if answer["error"] else 0


def _say(arguments: argparse.Namespace, control: str) -> int:
    head, mention, rest = arguments.text.partition("@podcap")
    answer = _post(
        control,
        "mention" if mention else "say",
        user=arguments.user,
        channel=arguments.channel,
        text=f"{head}{rest}".strip() if mention else arguments.text,
        thread_ts=arguments.thread_ts,
    )
    print(answer["ts"])
    return 1 if answer.get("error") else 0


def _read(control: str, what: str, **query: str | None) -> int:
    given = {name: value for name, value in query.items() if value}
    if sys.stdout.isatty():
        given["colour"] = "1"
    request = urllib.request.Request(f"{control}/{what}?{urllib.parse.urlencode(given)}")  # noqa: S310, loopback
    print(_open(request).decode(), end="")
    return 0


def _post(control: str, what: str, **body: str | bool | None) -> Json:
    request = urllib.request.Request(  # noqa: S310, loopback
        f"{control}/{what}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    answer: Json = json.loads(_open(request))
    return answer


def _open(request: urllib.request.Request) -> bytes:
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310, loopback
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            said = error.read().decode()
        with contextlib.suppress(ValueError, KeyError, TypeError):
            said = json.loads(said)["error"]
        raise CliError(said) from None
    except OSError as error:
        raise CliError(f"the Slack stand-in does not answer: {error}") from None
