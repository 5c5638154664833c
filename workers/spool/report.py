"""How a capture ended on the node, from what the node says of it. Pure."""

import re
from dataclasses import dataclass
from typing import Literal

from workers.request.quoting import inert

EndedBy = Literal["duration", "stopped", "bytes", "packets", "error", "lost"]

_ENDED, _TIMED_OUT = 0, 124
"""Exit codes of `timeout` around a tcpdump that ended by itself or by a signal, and that it ended."""


@dataclass(frozen=True)
class SpoolReport:
    """One finished spool, or what arrived of one that was lost.

    Attributes:
        packets_captured: What tcpdump wrote, or what arrived.
        packets_received_by_filter: What the kernel handed it; may be more, when the end came before the rest.
        packets_dropped_by_kernel: What the kernel had no room for.
        bytes: Length of the spool, or of what arrived.
        sha256: Its hash, in hex, taken on the node and the same here; None when it was lost.
        ended_by: What ended it; `lost` when the node cannot be asked.
        error: Why, when that was an error: tcpdump's own words; or why it was lost. Else "".
        began: When the capture began, in nanoseconds since 1970 by the node's clock, where that is known;
            packets from before belong to no capture.

    The counts are None when tcpdump died without its last words.
    """

    packets_captured: int | None
    packets_received_by_filter: int | None
    packets_dropped_by_kernel: int | None
    bytes: int
    sha256: str | None
    ended_by: EndedBy
    error: str = ""
    began: int | None = None

    @property
    def partial(self) -> bool:
        """Whether packets that were asked for are missing."""
        return self.ended_by in ("error", "lost")


def read_report(text: str, *, packet_limit: int) -> SpoolReport:
    """Reads the output of `finish.sh`.

    Args:
        text: Its output.
        packet_limit: How many packets tcpdump was told to take at most.

    Raises:
        ValueError: It is incomplete.
    """
    facts = _FACTS.match(text)
    if facts is None:
        raise ValueError("the node's report on the spool cannot be read")
    code, marks, unwritten, words = int(facts[1]), facts[4].split(), facts[6], text[facts.end() :]
    captured = _count(words, "captured")
    ended_by: EndedBy
    if _TOO_LARGE in (unwritten or words) or ("full" in marks and code == _ENDED):
        ended_by = "bytes"
    elif code not in (_ENDED, _TIMED_OUT) or unwritten is not None:
        ended_by = "error"
    elif "stopped" in marks and code == _ENDED:
        ended_by = "stopped"
    elif captured is not None and captured >= packet_limit:
        ended_by = "packets"
    else:
        ended_by = "duration"
    return SpoolReport(
        packets_captured=captured,
        packets_received_by_filter=_count(words, "received by filter"),
        packets_dropped_by_kernel=_count(words, "dropped by kernel"),
        bytes=int(facts[2]),
        sha256=facts[3],
        ended_by=ended_by,
        error="" if ended_by != "error" else _why_unwritten(unwritten) if unwritten else complaint(words),
        began=int(facts[5]) if (facts[5] or "").isdecimal() else None,
    )


def complaint(words: str) -> str:
    """What tcpdump complains of: its last words that are neither a count nor what it listens on."""
    telling = [line for line in words.splitlines() if not _TELLS_NOTHING.match(line)]
    starts = [at for at, line in enumerate(telling) if line.startswith("tcpdump: ")]
    # libpcap breaks some complaints into two lines, of which the second says the cause.
    last = " ".join(telling[starts[-1] if starts else -1 :]).removeprefix("tcpdump: ").strip()
    return inert(last, _LONGEST) or "tcpdump ended without a word"


_TOO_LARGE = "File too large"
_FACTS = re.compile(
    r"code (\d+)\nsize (\d+)\nsha256 ([0-9a-f]{64})\b.*\n"
    r"((?:full\n|stopped\n)*)(?:began (\S*)\n)?(?:unwritten ?(.*)\n)?"
)


def _why_unwritten(words: str) -> str:
    """The system's own words, which stand last: `cat: write error: No space left on device`."""
    return inert(words.rpartition(": ")[2], _LONGEST)


_TELLS_NOTHING = re.compile(r"\s*$|\d+ packets? |(tcpdump: )?(listening on|verbose output)")
_LONGEST = 300


def _count(words: str, what: str) -> int | None:
    match = re.search(rf"^(\d+) packets? {what}$", words, re.MULTILINE)
    return int(match[1]) if match else None
