"""What can be typed after `podcap`, and running it.

Exit codes: 0 done, 1 failed, 2 usage.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from bot.terminal import audit, capture, delete, doctor, download, summarize
from bot.terminal.command import CommandError, UsageProblem
from workers.settings import SettingsError

_COMMANDS = (capture, summarize, download, delete, audit, doctor)


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code = int(options.run(options))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has seen enough; the interpreter must not write the rest when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except UsageProblem as error:
        print(f"podcap: {error}", file=sys.stderr)
        return 2
    except (CommandError, SettingsError) as error:
        print(f"podcap: {error}", file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="podcap", description="Packet captures of Kubernetes pods.")
    parser.add_argument("--version", action="version", version=f"podcap {version('podcap')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.register(commands)
    return parser
