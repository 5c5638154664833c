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


ARMED_SECONDS = 180
"""How long a tap of several may wait for the others: an agent pod takes up to 90 s to start."""

_MANY_ON_A_NODE = 4
_SLOW_PAUSE = 1.0


def spool_limits(capture: Capture, *, taps: int = 1, here: int = 1) -> SpoolLimits:
    """When tcpdump ends by itself.

    Args:
        capture: What was asked for.
        taps: Of how many it is one; they share bytes and packets evenly.
        here: How many of them are on its node.
    """
    return SpoolLimits(
        seconds=capture.seconds,
        packets=max(1, SPOOL_PACKETS // taps),
        bytes=SPOOL_BYTES // taps,
        snaplen=0 if capture.full else SNAPLEN,
        longest=longest(capture),
        armed=ARMED_SECONDS if taps > 1 else None,
        # Looking at many costs their node what it could spend on packets.
        **({"pause": _SLOW_PAUSE} if here > _MANY_ON_A_NODE else {}),
    )


def longest(capture: Capture) -> int:
    """Only in Slack can somebody ask for more time."""
    return LONGEST_SECONDS if capture.origin == SLACK else capture.seconds
