"""What the terminal's commands share: how one is registered, and how one fails."""

import argparse
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001, it has no public name
"""Where a command registers its parser. The default `run` takes the options and returns the exit code."""


class UsageProblem(Exception):  # noqa: N818, what was typed is wrong, nothing failed
    """What was typed cannot be done; the message is one sentence that says what to type instead."""


class CommandError(Exception):
    """The command failed; the message is one sentence for the person at the terminal."""
