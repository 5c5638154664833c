"""`podcap summarize FILE [--json]`: what is in a capture file, whoever made it."""

import argparse
import json
from pathlib import Path
from typing import Any

from bot.terminal.command import CommandError, Commands
from bot.terminal.words import in_the_terminal
from workers.summary.summarise import SummaryError, summarise
from workers.summary.summary import Flow, Summary
from workers.summary.table import flow_table, said_lines

_VERSION = 1


def register(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser("summarize", help="say what is in a capture file")
    parser.add_argument("file", type=Path, metavar="FILE", help="a pcap file")
    parser.add_argument("--json", action="store_true", help="as JSON: docs/terminal.md")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        summary = summarise(options.file, payload=True)
    except SummaryError as error:
        raise CommandError(in_the_terminal(str(error))) from error
    except OSError as error:
        file = in_the_terminal(str(options.file))
        raise CommandError(f"{file} cannot be read: {error.strerror or error}.") from error
    if options.json:
        print(json.dumps(_as_json(summary), indent=2))
        return 0
    for line in (*flow_table(summary, limit=1000).split("\n"), *said_lines(summary, limit=100)):
        print(in_the_terminal(line))
    for note in summary.notes:
        print(in_the_terminal(note))
    return 0


def _as_json(summary: Summary) -> dict[str, Any]:
    return {"version": _VERSION, "flows": [_flow(flow) for flow in summary.flows], "findings": []}


def _flow(flow: Flow) -> dict[str, Any]:
    return {
        "protocol": flow.protocol,
        "a": str(flow.a),
        "b": str(flow.b),
        "packets_ab": flow.packets_ab,
        "bytes_ab": flow.bytes_ab,
        "packets_ba": flow.packets_ba,
        "bytes_ba": flow.bytes_ba,
        "start": flow.start,
        "duration": flow.duration,
    }
