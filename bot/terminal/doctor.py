"""`podcap doctor`: one line for each thing that podcap needs; each line that is a problem says what to do."""

import argparse
import json
from collections.abc import Iterator

from bot.terminal.checks.broker import broker
from bot.terminal.checks.cluster import cluster
from bot.terminal.checks.compiled import compiled
from bot.terminal.checks.database import database
from bot.terminal.checks.files import policy, store
from bot.terminal.checks.programs import programs
from bot.terminal.checks.result import Result, Status, ok, problem
from bot.terminal.checks.room import room
from bot.terminal.checks.slack import slack
from bot.terminal.command import Commands
from bot.terminal.words import in_the_terminal
from workers.settings import SettingsError, load


def register(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser("doctor", help="check everything that podcap needs, and say what to do")
    parser.add_argument(
        "namespaces", nargs="*", metavar="NAMESPACE", help="of pods to be captured; left out: all of them"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    found = []
    for result in _examine(options.namespaces):
        found.append(result)
        if not options.json:
            text = in_the_terminal(result.text)
            print(f"{result.status:8} {result.check}: {text}", flush=True)
    if options.json:
        listed = [{"check": one.check, "status": one.status, "text": one.text} for one in found]
        print(json.dumps(listed, indent=2, ensure_ascii=False))
    return int(any(result.status is Status.PROBLEM for result in found))


def _examine(namespaces: list[str]) -> Iterator[Result]:
    try:
        settings = load()
    except SettingsError as error:
        yield problem("settings", str(error))
        return
    yield ok("settings", "every value is understood")
    for check in (cluster(namespaces), programs, compiled, database, policy, slack, broker, store, room):
        yield from check(settings)
