"""What can be typed after `podcap`, and running it.

Exit codes: 0 done, 1 failed, 2 usage.
"""

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from bot.terminal.command import CommandError, UsageProblem
from workers.settings_error import SettingsError

_COMMANDS = ("capture", "summarize", "download", "delete", "audit", "doctor")
"""Each is a module of this package with its name."""

_FULL = (errno.ENOSPC, errno.EDQUOT)


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    options = _parser(words).parse_args(words)
    try:
        code = int(options.run(options))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        _write_no_more()
        return 1
    except OSError as error:
        if error.errno not in _FULL:
            raise
        _write_no_more()
        print(f"podcap: The output cannot be written: {error.strerror}. Make room.", file=sys.stderr)
        return 1
    except UsageProblem as error:
        print(f"podcap: {error}", file=sys.stderr)
        return 2
    except (CommandError, SettingsError) as error:
        print(f"podcap: {error}", file=sys.stderr)
        return 1
    return code


def _write_no_more() -> None:
    """The interpreter must not try to write the rest when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def import_commands(words: Sequence[str]) -> list[ModuleType]:
    """The module of the command that these words begin with, or all of them.

    To import all takes twice the time of the one that was named.
    """
    named = [name for name in words[:1] if name in _COMMANDS]
    return [import_module(f"bot.terminal.{name}") for name in named or _COMMANDS]


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="podcap", description="Packet captures of Kubernetes pods.")
    parser.add_argument("--version", action=_Version, nargs=0, help="show program's version number and exit")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in import_commands(words):
        command.register(commands)
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        # Not above: every command would wait until all that reads e-mail headers is imported.
        from importlib.metadata import version  # noqa: PLC0415

        print(f"podcap {version('podcap')}")
        parser.exit()
