"""`podcap summarize FILE`: what is in a capture file."""

import argparse
from pathlib import Path

from bot.terminal.command import CommandError, Commands
from workers.summary.summarise import SummaryError, summarise
from workers.summary.table import flow_table, said_lines


def register(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser("summarize", help="say what is in a capture file")
    parser.add_argument("file", type=Path, metavar="FILE", help="a pcap file")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        summary = summarise(options.file, payload=True)
    except (SummaryError, OSError) as error:
        raise CommandError(str(error)) from error
    print(flow_table(summary, limit=1000))
    for line in said_lines(summary, limit=100):
        print(line)
    return 0
