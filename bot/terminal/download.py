"""`podcap download CAPTURE [-o FILE]`: a capture's file from the store, with an entry in the trail."""

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path
from typing import IO

from bot.terminal.command import CommandError, Commands, UsageProblem
from bot.terminal.output_file import OutputError, check_output, write_output
from bot.terminal.stored import StoredFile, stored_file
from bot.terminal.words import in_the_terminal


def register(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser("download", help="fetch a capture's file from the store")
    parser.add_argument("capture", metavar="CAPTURE", help="such as cap-7f3k9q")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="- for standard output; left out: its name in the store"
    )
    parser.add_argument("--force", action="store_true", help="replace FILE when it is there")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    to_pipe = options.output == "-"
    if to_pipe and sys.stdout.isatty():
        raise UsageProblem("Packets are not written to a terminal: pipe them, or name a file with `-o FILE`.")
    with stored_file(options.capture, "download") as stored:
        return _hand_out(stored, options, to_pipe=to_pipe)


def _hand_out(stored: StoredFile, options: argparse.Namespace, *, to_pipe: bool) -> int:
    path = Path(options.output or stored.name)
    if not to_pipe:
        try:
            check_output(path, force=options.force)
        except OutputError as error:
            raise UsageProblem(in_the_terminal(str(error))) from error
    with tempfile.NamedTemporaryFile(prefix="podcap-") as file:
        _fetch(stored, file)
        # Before the first byte is out of podcap's hands.
        stored.record("downloaded", where="standard output" if to_pipe else str(path.resolve()))
        if to_pipe:
            with Path(file.name).open("rb") as packets:
                sys.stdout.buffer.writelines(packets)
            return 0
        try:
            write_output(Path(file.name), path, force=options.force)
        except OutputError as error:
            raise CommandError(in_the_terminal(str(error))) from error
    print(in_the_terminal(str(path)))
    return 0


def _fetch(stored: StoredFile, target: IO[bytes]) -> None:
    """Copies the file, and compares it with the hash that the trail has of it."""
    digest = hashlib.sha256()
    try:
        for block in stored.store.read(stored.name):
            digest.update(block)
            target.write(block)
        target.flush()
    except OSError as error:
        raise CommandError(
            f"The file of {stored.capture.id} cannot be read from the store: {error.strerror or error}."
        ) from error
    if digest.hexdigest() != stored.sha256:
        stored.record("download refused", found=digest.hexdigest())
        raise CommandError(
            f"The file of {stored.capture.id} in the store is not the one that was captured (its SHA-256 "
            "is not that in the trail), so it is not handed out: ask whoever runs podcap."
        )
