"""`podcap delete CAPTURE`: removes a capture's file from the store; the trail keeps that it was there."""

import argparse

from bot.terminal.command import CommandError, Commands
from bot.terminal.stored import StoredFile, stored_file


def register(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser("delete", help="remove a capture's file from the store")
    parser.add_argument("capture", metavar="CAPTURE", help="such as cap-7f3k9q")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    with stored_file(options.capture, "delete") as stored:
        _remove(stored)
    print(f"{stored.name} is deleted from the store. What Slack has of it stays there.")
    return 0


def _remove(stored: StoredFile) -> None:
    # Before the file is gone, so that none goes without an entry.
    stored.record("deleted", columns={"file_url": None})
    try:
        stored.store.remove(stored.name)
    except BaseException as error:
        stored.record("delete failed", columns={"file_url": stored.capture.file_url}, error=str(error))
        if not isinstance(error, OSError):
            raise
        raise CommandError(
            f"The file of {stored.capture.id} cannot be removed from the store: {error.strerror or error}."
        ) from error
