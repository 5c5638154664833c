"""podcap's Celery app with a task that hangs until a file is there: WAIT_FOR in its environment."""

import os
import time
from pathlib import Path

from workers import leaving
from workers.queue import app

NAME = "tests.wait"
QUEUE = "captures.test"
# Whoever ends, ends because it was told so at once.
leaving.LEAVE_SECONDS = 3600.0


@app.task(name=NAME)  # type: ignore[untyped-decorator]
def wait() -> None:
    """Hangs; says first that it does."""
    until = Path(os.environ["WAIT_FOR"])
    until.with_name("begun").touch()
    while not until.exists():
        time.sleep(0.1)
