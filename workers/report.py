"""How a capture is reported to whoever asked for it: in a Slack thread, at a terminal, or to nobody."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from workers.cluster.pod import Pod
from workers.ledger.capture import Capture
from workers.ledger.tap_record import TapRecord
from workers.parcel import Told
from workers.spool.progress import Progress
from workers.summary.summary import Summary
from workers.tap.evidence import Evidence


class Report(Protocol):
    """Where one capture reports to; each method raises `PlaceError` when that place does not take it."""

    def open(self, capture: Capture, taps: Sequence[TapRecord] = ()) -> Capture:
        """Makes the place to report to, once, for a capture with these taps; the capture as it is then."""

    def show(self, capture: Capture, *, queue_reachable: bool = True) -> None:
        """Shows the capture's state, and its sentence where it has one."""

    def show_evidence(self, capture: Capture, pod: Pod, evidence: Evidence) -> None:
        """What the node said about where the pod's packets pass, before a tap is decided from it."""

    def show_progress(self, capture: Capture, progress: Progress, taps: Sequence[TapRecord] = ()) -> None:
        """How far a running capture is, about every half second; a place that fails is passed over.

        `taps` are those of a capture of several, as they are now.
        """

    def show_taps(self, capture: Capture, taps: Sequence[TapRecord]) -> None:
        """The taps of a capture of several: when they begin, and when all have ended."""

    def follow(self, capture: Capture, spool: Path) -> None:
        """The capture begins: `spool` is the file that its packets, not yet cut, are added to."""

    def show_summary(self, capture: Capture, summary: Summary) -> None:
        """What was captured."""

    def show_told(self, capture: Capture, told: Told) -> None:
        """What is told besides the summary."""

    def show_picture(self, capture: Capture, file: Path, alt_text: str) -> str:
        """The course of the traffic as a PNG, and in words; where it is then."""

    def show_context(self, capture: Capture, file: Path) -> str:
        """A text file with what was around the pods; where it is then."""

    def say(self, capture: Capture, sentence: str) -> None:
        """One sentence where everybody who sees the capture sees it."""

    def deliver(self, capture: Capture, file: Path, name: str) -> str:
        """Hands the capture file over under this name; where it is then."""

    def tell(self, capture: Capture, sentence: str) -> None:
        """One sentence to the asker alone."""


class Silence:
    """For a capture whose asker is gone: everything is taken and nothing said."""

    def open(self, capture: Capture, taps: Sequence[TapRecord] = ()) -> Capture:  # noqa: ARG002, the protocol's
        """Nothing to be made."""
        return capture

    def show(self, capture: Capture, *, queue_reachable: bool = True) -> None:
        """Nobody looks."""

    def show_evidence(self, capture: Capture, pod: Pod, evidence: Evidence) -> None:
        """Nobody looks."""

    def show_progress(self, capture: Capture, progress: Progress, taps: Sequence[TapRecord] = ()) -> None:
        """Nobody looks."""

    def show_taps(self, capture: Capture, taps: Sequence[TapRecord]) -> None:
        """Nobody looks."""

    def follow(self, capture: Capture, spool: Path) -> None:
        """Nobody looks."""

    def show_summary(self, capture: Capture, summary: Summary) -> None:
        """Nobody looks."""

    def show_told(self, capture: Capture, told: Told) -> None:
        """Nobody looks."""

    def show_picture(self, capture: Capture, file: Path, alt_text: str) -> str:  # noqa: ARG002, what the protocol hands over
        """Nobody looks."""
        return "nowhere"

    def show_context(self, capture: Capture, file: Path) -> str:  # noqa: ARG002, what the protocol hands over
        """Nobody reads it."""
        return "nowhere"

    def say(self, capture: Capture, sentence: str) -> None:
        """Nobody listens."""

    def deliver(self, capture: Capture, file: Path, name: str) -> str:  # noqa: ARG002, what the protocol hands over
        """Nobody takes it."""
        return "nowhere"

    def tell(self, capture: Capture, sentence: str) -> None:
        """Nobody listens."""
