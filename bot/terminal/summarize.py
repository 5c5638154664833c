"""`podcap summarize FILE [--json]`: what is in a capture file, whoever made it."""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from bot.terminal.command import CommandError, Commands, UsageProblem
from bot.terminal.words import in_the_terminal
from workers.summary.flow import Flow
from workers.summary.summarise import SummaryError, summarise
from workers.summary.summary import Summary
from workers.summary.table import flow_table, said_lines

_VERSION = 1


def register(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser("summarize", help="say what is in a capture file")
    parser.add_argument("file", type=Path, metavar="FILE", help="a pcap file; - for standard input")
    parser.add_argument("--json", action="store_true", help="as JSON: docs/terminal.md")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        summary = _standard_input() if str(options.file) == "-" else summarise(options.file, payload=True)
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


def _standard_input() -> Summary:
    """It is kept in a file until its end has come: HTTP, DNS and TLS are decoded in a second reading."""
    if sys.stdin.isatty():
        raise UsageProblem(
            "Packets are not typed: name a file, or pipe one in, as in `… | podcap summarize -`."
        )
    with tempfile.NamedTemporaryFile(prefix="podcap-") as file:
        shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
        file.flush()
        return summarise(Path(file.name), payload=True)


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
