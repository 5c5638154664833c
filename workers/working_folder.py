"""A folder for one capture's files, which nobody leaves behind: not even a process that was killed.

Packets as they came from the node lie in it, whole ones perhaps. Whoever works in it holds a lock on it that
ends with the process, so that the next one to make a folder can tell what is left over.
"""

import fcntl
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

log = logging.getLogger(__name__)

_PREFIX = "podcap-capture-"
_MAKING_SECONDS = 5


@contextmanager
def working_folder() -> Iterator[Path]:
    """A new folder, locked; gone with all that is in it when the block ends."""
    sweep()
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder, _locked(Path(folder)):
        yield Path(folder)


def sweep() -> None:
    """Removes the folders of processes that are gone, this user's own."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            # A folder is made before it is locked; one that is that young may be somebody's.
            facts = folder.stat()
            if facts.st_uid == os.geteuid() and facts.st_mtime < time.time() - _MAKING_SECONDS:
                with _locked(folder):
                    shutil.rmtree(folder)
                log.warning("removed what a killed process left in %s", folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Raises BlockingIOError when somebody else has it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
