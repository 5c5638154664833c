"""A capture's picture and context file, into its thread. Without them a capture is whole, too."""

import hashlib
import logging
from pathlib import Path

from workers.picture.picture import PictureError, chart_of, picture
from workers.place import PlaceError
from workers.summary.summary import Summary
from workers.work import Work

log = logging.getLogger(__name__)

PICTURE_DELIVERED = "picture delivered"
CONTEXT_DELIVERED = "context delivered"


def show_picture(work: Work, said: Summary) -> None:
    """Paints it and puts it into the thread, once, where there is a thread and something to see over time.

    Raises:
        IllegalMoveError: Another worker has the capture.
    """
    capture, line = work.capture, said.timeline
    if capture.message_ts is None or line is None or len(line.packets) < 2:  # noqa: PLR2004, a course has two points
        return
    # Unlike the packets' file, its name does not begin with the capture's id.
    path = work.folder / f"traffic-{capture.id}.png"
    try:
        painted = picture(chart_of(said, capture.what))
        path.write_bytes(painted.png)
        where = work.report.show_picture(capture, path, painted.alt_text)
    except (PictureError, PlaceError, OSError) as error:
        log.warning("no picture: %s", error)
        return
    if not work.has_recorded(PICTURE_DELIVERED):
        digest = hashlib.sha256(painted.png).hexdigest()
        work.record(PICTURE_DELIVERED, {"sha256": digest, "name": path.name, "where": where})


def show_context(work: Work, path: Path) -> None:
    """Puts the file with what was around the pods into the thread, once.

    Raises:
        IllegalMoveError: Another worker has the capture.
    """
    try:
        where = work.report.show_context(work.capture, path)
    except (PlaceError, OSError) as error:
        log.warning("what was around the pods is not told: %s", error)
        return
    if not work.has_recorded(CONTEXT_DELIVERED):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        work.record(CONTEXT_DELIVERED, {"sha256": digest, "name": path.name, "where": where})
