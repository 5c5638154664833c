"""What the terminal's commands share: how one is registered, and how one fails."""

import argparse
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001, it has no public name
"""Where a command registers its parser. The default `run` takes the options and returns the exit code."""


class CommandError(Exception):
    """The command failed; the message is one sentence for the person at the terminal."""
