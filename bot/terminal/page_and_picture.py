"""The options `--html` and `--picture` of commands that have a summary: a page and a PNG, into files.

What makes them is imported when one is asked for: nobody else waits for it.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bot.terminal.command import CommandError, UsageProblem
from bot.terminal.output_file import OutputError, check_output, write_output
from bot.terminal.words import in_the_terminal
from workers.summary.summary import Summary


def add_options(parser: argparse.ArgumentParser, *, taken: bool) -> None:
    """Adds both.

    Args:
        parser: Of the command.
        taken: Whether standard output always has something else.
    """
    page_help = "as a page, into a file" + ("" if taken else "; - for standard output")
    parser.add_argument("--html", type=Path, metavar="OUT", help=page_help)
    parser.add_argument("--picture", type=Path, metavar="OUT", help="traffic over time as a PNG, into a file")


def check_options(options: argparse.Namespace, other: Path | None, *, taken: bool) -> None:
    """Refuses what would fail once everything else is done.

    Args:
        options: With `html`, `picture` and `force`.
        other: The capture file, if that is named, too.
        taken: Whether standard output has something else already.

    Raises:
        UsageProblem, CommandError: They cannot be written there.
    """
    if taken and is_dash(options.html):
        raise UsageProblem("Standard output takes one of them: name a file, as in `--html OUT.html`.")
    if is_dash(options.picture):
        raise UsageProblem("A picture goes into a file: name it, as in `--picture OUT.png`.")
    named = {_real(other)} if other else set()
    for path in (options.html, options.picture):
        if path and not is_dash(path):
            if _real(path) in named:
                name = in_the_terminal(str(path))
                raise UsageProblem(f"{name} is named twice: give each file a name of its own.")
            named.add(_real(path))
            try:
                check_output(path, force=options.force)
            except OutputError as error:
                raise CommandError(in_the_terminal(str(error))) from error


def _real(path: Path) -> str:
    try:
        return os.path.realpath(path)  # unlike `Path.resolve`, it follows links that go round in circles
    except OSError:  # the folder that the terminal stands in is gone
        return str(path)


def is_dash(path: Path | None) -> bool:
    """Whether it means standard output."""
    return path is not None and str(path) == "-"


def write_both(options: argparse.Namespace, summary: Summary, title: str, say: Callable[[str], None]) -> None:
    """Writes those that are asked for, and says where each is.

    Raises:
        CommandError: One could not be made or written.
    """
    if not options.html and not options.picture:
        return
    from workers.page.page import page  # noqa: PLC0415, see above
    from workers.picture.picture import PictureError, chart_of, picture  # noqa: PLC0415

    try:
        if options.picture:
            _into(options.picture, picture(chart_of(summary, title)).png, say, force=options.force)
        if is_dash(options.html):
            # It names its encoding, whatever the terminal's is.
            sys.stdout.buffer.write(page(summary, title).encode())
        elif options.html:
            _into(options.html, page(summary, title).encode(), say, force=options.force)
    except (PictureError, OutputError) as error:
        raise CommandError(in_the_terminal(str(error))) from error


def _into(path: Path, content: bytes, say: Callable[[str], None], *, force: bool) -> None:
    try:
        with tempfile.NamedTemporaryFile(prefix="podcap-") as file:
            file.write(content)
            file.flush()
            write_output(Path(file.name), path, force=force)
    except OSError as error:
        raise OutputError(
            f"{path} could not be written by way of {tempfile.gettempdir()} ({error.strerror}): make room."
        ) from error
    say(f"Written to {in_the_terminal(str(path))}")
