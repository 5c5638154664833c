"""One measured figure and the target it is held to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, in the words of a report.

    `target` is the most that `value` may be, in the same unit; None: it is only told.
    """

    name: str
    value: float
    unit: str
    target: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the target is kept; a figure without one always holds."""
        return self.target is None or self.value <= self.target
