"""What one of several taps gave: its packets, and what they say."""

from dataclasses import dataclass
from pathlib import Path

from workers.ledger.tap_record import TapRecord
from workers.spool.report import SpoolReport
from workers.summary.summary import Summary
from workers.tap.proof import Watched


@dataclass(frozen=True)
class Part:
    """One tap's share of the capture.

    Attributes:
        record: The tap, which has its packets here.
        path: They, as pcap, cut where they are to be; none from before the capture's beginning.
        compiled: Its filter as tcpdump got it.
        report: How its spool ended; None where only the stored file is left.
        seen: What its node counted meanwhile, where that is known.
        summary: What they say; None where that could not be read, or not yet.
    """

    record: TapRecord
    path: Path
    compiled: str = ""
    report: SpoolReport | None = None
    seen: Watched | None = None
    summary: Summary | None = None
