"""The command `podcap` in a terminal.

Exit codes: 0 done, 1 failed, 2 usage.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from workers.summary.summarise import SummaryError, summarise
from workers.summary.table import flow_table, said_lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit code."""
    options = _parser().parse_args(arguments)
    return _summarize(options.file)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="podcap", description="Packet captures of Kubernetes pods.")
    parser.add_argument("--version", action="version", version=f"podcap {version('podcap')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    summarize = commands.add_parser("summarize", help="say what is in a capture file")
    summarize.add_argument("file", type=Path, metavar="FILE", help="a pcap file")
    return parser


def _summarize(file: Path) -> int:
    try:
        summary = summarise(file, payload=True)
    except (SummaryError, OSError) as error:
        print(f"podcap: {error}", file=sys.stderr)
        return 1
    print(flow_table(summary, limit=1000))
    for line in said_lines(summary, limit=100):
        print(line)
    return 0
