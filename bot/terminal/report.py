"""A capture's report at a terminal: progress and sentences on standard error, the flows when it is over."""

from collections.abc import Sequence
from pathlib import Path

from bot.terminal.findings import finding_lines
from bot.terminal.live import LiveOutput
from bot.terminal.output_file import OutputError, write_output
from bot.terminal.progress_line import ProgressLine
from bot.terminal.tap_lines import tap_lines
from bot.terminal.words import first_line, in_the_terminal
from workers.cluster.pod import Pod
from workers.ledger.capture import Capture
from workers.ledger.states import FINAL, State
from workers.ledger.tap_record import TapRecord
from workers.parcel import Told
from workers.place import PlaceError
from workers.request.duration import shown
from workers.spool.progress import Progress
from workers.summary.summary import Summary
from workers.summary.table import flow_table, said_lines
from workers.tap.account import account
from workers.tap.evidence import Evidence
from workers.thread.messages import HEADERS_ONLY
from workers.thread.preview import preview
from workers.thread.tap_lines import ended_early, nodes_of, taps_taken, where_looked
from workers.thread.words import bar, count, size

_PHRASES = {
    State.TAPPING: "Finding {where} …",
    State.COLLECTING: "Fetching the packets from {nodes} …",
    State.SUMMARISING: "Summarising the flows …",
    State.DELIVERING: "Writing the packets …",
}


class TerminalReport:
    """Where the one capture of this process reports to.

    Attributes:
        summary: The flows and what was said, in lines, once they are known.
        found: The same as it came.

    Args:
        line: Standard error.
        file: Where the packets go; None for the name that the capture gives them, in this folder.
        force: Whether a file that is there may be replaced.
        explain: Whether to say how the interface was found.
        live: Where the packets go instead, when they are read while they arrive.
    """

    def __init__(
        self, line: ProgressLine, *, file: Path | None, force: bool, explain: bool, live: LiveOutput | None
    ) -> None:
        self.summary: list[str] = []
        self.found: Summary | None = None
        self._line = line
        self._file = file
        self._force = force
        self._explain = explain
        self._live = live
        self._taps: Sequence[TapRecord] = ()

    def open(self, capture: Capture, taps: Sequence[TapRecord] = ()) -> Capture:
        """The terminal is there; how many these are is said where there are several."""
        self._taps = taps
        if len(taps) > 1:
            self._line.say(in_the_terminal(f"These are {preview(taps)}."))
        return capture

    def show(self, capture: Capture, *, queue_reachable: bool = True) -> None:  # noqa: ARG002, no queue here
        """A phrase for each state, a sentence for the end."""
        if capture.state in FINAL:
            self._line.end()
            self._line.say(_ended(capture, self._taps))
        elif capture.stop_requested_by and capture.state is State.CAPTURING:
            self._line.passing("Stopping, and keeping what was captured …")
        elif capture.state is State.CAPTURING:
            if capture.tap:
                self._line.say(f"Capturing on {in_the_terminal(capture.tap)}")
        elif capture.state in _PHRASES:
            words = {"where": where_looked(self._taps), "nodes": nodes_of(self._taps)}
            self._line.passing(_PHRASES[capture.state].format(**words))

    def show_evidence(self, capture: Capture, pod: Pod, evidence: Evidence) -> None:  # noqa: ARG002, there is one
        """How the interface is found, before the first packet, where that was asked for."""
        if self._explain:
            for told in account(evidence, pod):
                self._line.say(in_the_terminal(told))

    def show_progress(self, capture: Capture, progress: Progress, taps: Sequence[TapRecord] = ()) -> None:  # noqa: ARG002, one line for all
        """The line that changes."""
        done = min(int(progress.seconds), capture.seconds)
        packets = "" if progress.packets is None else f", {count(progress.packets, 'packet')}"
        stopping = " (stopping)" if capture.stop_requested_by else ""
        self._line.update(
            f"{bar(done, capture.seconds)} {done} of {shown(capture.seconds)}{packets}, "
            f"{size(progress.bytes)}{stopping}"
        )

    def show_taps(self, capture: Capture, taps: Sequence[TapRecord]) -> None:  # noqa: ARG002, there is one
        """A line each."""
        self._taps = taps
        for line in tap_lines(taps):
            self._line.say(in_the_terminal(line))

    def follow(self, capture: Capture, spool: Path) -> None:  # noqa: ARG002, there is one
        """Packets on standard output from now on, where they are read live."""
        if self._live is not None:
            self._live.follow(spool)

    def show_summary(self, capture: Capture, summary: Summary) -> None:
        """Kept until the end, when standard output is written in one go."""
        self.found = summary
        notes = [*summary.notes, *([] if capture.full else [HEADERS_ONLY])]
        found = finding_lines(summary.findings)
        if summary.totals.packets == 0:
            none = "No packet passed that the filter lets through."
            self.summary = [*found, none, *map(in_the_terminal, notes)]
            return
        lines = [*flow_table(summary).split("\n"), *said_lines(summary), *notes]
        self.summary = [*found, *map(in_the_terminal, lines)]

    def show_told(self, capture: Capture, told: Told) -> None:  # noqa: ARG002, there is one
        """Below the flows."""
        lines = [line for table in told.tables for line in ("", *table.split("\n"))]
        self.summary += [in_the_terminal(line) for line in (*lines, *told.logs.split("\n")) if line or lines]

    def show_picture(self, capture: Capture, file: Path, alt_text: str) -> str:  # noqa: ARG002, what the protocol hands over
        """Left out: `--picture` has one painted at the end."""
        return "nowhere"

    def show_context(self, capture: Capture, file: Path) -> str:  # noqa: ARG002, what the protocol hands over
        """Not gathered for a terminal."""
        return "nowhere"

    def say(self, capture: Capture, sentence: str) -> None:  # noqa: ARG002, there is one
        """A line."""
        self._line.say(in_the_terminal(sentence))

    def deliver(self, capture: Capture, file: Path, name: str) -> str:  # noqa: ARG002, there is one
        """Writes the file, or waits until standard output has all of it."""
        if self._live is not None:
            read = self._live.finish()
            return "standard output" if read else "standard output, not read to its end"
        target = self._file or Path(name)
        try:
            write_output(file, target, force=self._force)
        except OutputError as error:
            raise PlaceError(str(error), lasting=True) from error
        self._line.say(f"Written to {in_the_terminal(str(target))}")
        return str(target.absolute())

    def tell(self, capture: Capture, sentence: str) -> None:
        """A line."""
        self.say(capture, sentence)


def _ended(capture: Capture, taps: Sequence[TapRecord]) -> str:
    if capture.state is State.STOPPED and capture.packets is None:
        return "Stopped before it began: nothing was captured."
    if capture.state not in (State.DELIVERED, State.STOPPED):
        return f"podcap: {first_line(capture.sentence or 'The capture failed.')}"
    mark = "Stopped" if capture.state is State.STOPPED else "Done"
    where = (
        taps_taken(taps)
        if len(taps) > 1
        else f"at {in_the_terminal(capture.interface or '')} on {in_the_terminal(capture.node or '')}"
    )
    early = ended_early(capture.ended_by, taps)
    return (
        f"{mark}: {count(capture.packets or 0, 'packet')}, {size(capture.bytes or 0)}, "
        f"{capture.dropped or 0:,} dropped by the kernel, {where}.{f' {early}' if early else ''}"
    )
