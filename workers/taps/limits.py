"""What one capture may take: bytes, packets and time."""

from workers.cut.headers import SNAPLEN
from workers.ledger.capture import SLACK, Capture
from workers.request.duration import LONGEST_SECONDS
from workers.spool.spool import SpoolLimits
from workers.store_room import LARGEST_FILE

SPOOL_BYTES = LARGEST_FILE
"""The most that one capture writes on its node, and so the most that is stored and uploaded of it."""

SPOOL_PACKETS = 1_000_000
"""The most packets of one capture."""


def spool_limits(capture: Capture) -> SpoolLimits:
    """When tcpdump ends by itself."""
    return SpoolLimits(
        seconds=capture.seconds,
        packets=SPOOL_PACKETS,
        bytes=SPOOL_BYTES,
        snaplen=0 if capture.full else SNAPLEN,
        longest=longest(capture),
    )


def longest(capture: Capture) -> int:
    """Only in Slack can somebody ask for more time."""
    return LONGEST_SECONDS if capture.origin == SLACK else capture.seconds
