"""The file that a capture is written into: whole or not at all."""

import os
import shutil
import tempfile
from pathlib import Path


class OutputError(Exception):
    """The file cannot be written there; the message is one sentence that says what to do."""


def check_output(path: Path, *, force: bool) -> None:
    """Looks before the capture whether its file can be written.

    Raises:
        OutputError: It cannot.
    """
    folder = path.parent
    try:
        there = path.exists()
    except OSError as error:
        raise OutputError(f"{path} cannot be looked at ({error.strerror}): name another file.") from error
    if there and not path.is_file():
        raise OutputError(f"{path} is no regular file: name one that is, or is not there yet.")
    if there and not force:
        raise OutputError(f"{path} is there already: name another file, or add `--force` to replace it.")
    if not folder.is_dir():
        raise OutputError(f"There is no folder {folder}: make it, or name a file in another one.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"The folder {folder} cannot be written to: name a file in another one.")


def write_output(source: Path, path: Path, *, force: bool) -> None:
    """Copies `source` to `path`, by a temporary file beside it. Only its owner can read it.

    Raises:
        OutputError: It could not be written; nothing is left of it.
    """
    temporary = None
    try:
        with (
            source.open("rb") as packets,
            tempfile.NamedTemporaryFile(dir=path.parent, prefix=".podcap-", delete=False) as file,
        ):
            temporary = Path(file.name)
            shutil.copyfileobj(packets, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
        _put_in_place(temporary, path, force=force)
    except FileExistsError:
        raise OutputError(f"{path} was made meanwhile and is not replaced: use another name.") from None
    except OSError as error:
        raise OutputError(f"{path} could not be written ({error.strerror}): make room, ask again.") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _put_in_place(temporary: Path, path: Path, *, force: bool) -> None:
    if force:
        temporary.replace(path)
        return
    try:
        # Unlike a rename it fails where a file is.
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links.
        if path.exists():
            raise FileExistsError(path) from None
        temporary.replace(path)
