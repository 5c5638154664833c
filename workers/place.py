"""The place where captures are asked for and reported: Slack, or a terminal."""

from collections.abc import Sequence
from typing import Protocol

from workers.ledger.capture import Capture
from workers.ledger.lease import Lease
from workers.ledger.tap_record import TapRecord
from workers.policy.decide import Asker
from workers.policy.names import ResolvedPolicy
from workers.policy.rules import Policy
from workers.report import Report


class PlaceError(Exception):
    """The place does not answer, or does not take what it is given; the message is one sentence.

    Attributes:
        code: What it said in one word, such as `channel_not_found`; `no answer` when it said nothing.
        lasting: Whether repeating it mends nothing: the place is gone, or somebody must change a setting.
        passing: Whether the same may succeed soon: the place did not answer, or failed by itself.
    """

    def __init__(
        self, sentence: str, *, code: str = "no answer", lasting: bool = False, passing: bool = False
    ) -> None:
        super().__init__(sentence)
        self.code = code
        self.lasting = lasting
        self.passing = passing


class NotHereError(Exception):
    """What is asked for may not be asked for here, whatever the policy says; one sentence says what to do."""


class Place(Protocol):
    """Who asks here, and what may not be asked here; each method raises `PlaceError`."""

    def report(self, capture: Capture, lease: Lease | None = None, *, again: bool = False) -> Report:
        """Where this capture reports to.

        Args:
            capture: The capture.
            lease: What a worker must hold to report.
            again: Whether somebody may have reported the same before, and died.
        """

    def resolve(self, policy: Policy) -> ResolvedPolicy:
        """The policy with this place's ids for names."""

    def asker(self, capture: Capture, policy: ResolvedPolicy) -> Asker:
        """Who asked for this capture, and where.

        Raises:
            NotHereError: Nobody may ask for it there.
        """

    def email(self, capture: Capture) -> str | None:
        """The asker's e-mail address, where it is known."""

    def link(self, capture: Capture) -> str | None:
        """A link to where the capture is reported; None when there is none, or it cannot be asked for now."""

    def agreed(self, capture: Capture, taps: Sequence[TapRecord]) -> bool | None:
        """Whether the asker agreed to so many taps; None: the capture's message asks them.

        Raises:
            NotHereError: They cannot be asked here.
        """

    def payload_refusal(self, capture: Capture) -> str | None:
        """Why its whole packets may not come here (any more), in one sentence; None when they may."""
