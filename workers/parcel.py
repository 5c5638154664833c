"""What a capture hands over: its file, and what is said of it."""

from dataclasses import dataclass
from pathlib import Path

from workers.summary.summary import Summary


@dataclass(frozen=True, slots=True)
class Told:
    """What is told besides the summary.

    Attributes:
        tables: Plain text, 76 columns wide: a Service's traffic, each.
        logs: Lines of the pods' own logs, in mrkdwn; "" for none.
    """

    tables: tuple[str, ...] = ()
    logs: str = ""

    def __bool__(self) -> bool:
        return bool(self.tables or self.logs)


@dataclass(frozen=True, slots=True)
class Parcel:
    """All that is handed over.

    Attributes:
        path: The capture file.
        said: The summary, or the sentence that says why there is none.
        told: What is told besides.
        context: A text file with what was around the pods; None where that is not known.
    """

    path: Path
    said: Summary | str
    told: Told = Told()
    context: Path | None = None
