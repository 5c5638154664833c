"""`podcap summarize FILE [--json]`: what is in a capture file, whoever made it."""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from bot.terminal.command import CommandError, Commands, UsageProblem
from bot.terminal.findings import finding_lines
from bot.terminal.words import in_the_terminal
from workers.summary.summarise import SummaryError, summary_json
from workers.summary.summary import Summary
from workers.summary.table import flow_table, said_lines


def register(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser("summarize", help="say what is in a capture file")
    parser.add_argument("file", type=Path, metavar="FILE", help="a pcap file; - for standard input")
    parser.add_argument("--json", action="store_true", help="as JSON: docs/summary.md")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        with _standard_input() if str(options.file) == "-" else nullcontext(options.file) as file:
            told = summary_json(file, payload=True)
    except SummaryError as error:
        raise CommandError(in_the_terminal(str(error))) from error
    except OSError as error:
        file = in_the_terminal(str(options.file))
        raise CommandError(f"{file} cannot be read: {error.strerror or error}.") from error
    if options.json:
        print(told.decode("ascii"))
        return 0
    summary = Summary.from_json(json.loads(told))
    for line in finding_lines(summary.findings):
        print(line)
    for line in (*flow_table(summary, limit=1000).split("\n"), *said_lines(summary, limit=100)):
        print(in_the_terminal(line))
    for note in summary.notes:
        print(in_the_terminal(note))
    return 0


@contextmanager
def _standard_input() -> Iterator[Path]:
    """It is kept in a file until its end has come: the child reads files, and some of them twice."""
    if sys.stdin.isatty():
        raise UsageProblem(
            "Packets are not typed: name a file, or pipe one in, as in `… | podcap summarize -`."
        )
    with tempfile.NamedTemporaryFile(prefix="podcap-") as file:
        shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
        file.flush()
        yield Path(file.name)
