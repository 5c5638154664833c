"""What a check finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from workers.settings import Settings


class Status(StrEnum):
    """How it is."""

    OK = "ok"
    UNSET = "not set"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Result:
    """One line: what was looked at, how it is, and, where that is a warning or a problem, what to do."""

    check: str
    status: Status
    text: str


Check = Callable[[Settings], Iterator[Result]]


def ok(check: str, text: str) -> Result:
    """As it should be."""
    return Result(check, Status.OK, text)


def unset(check: str, text: str = "only needed for Slack") -> Result:
    """Not there, and not missed at a terminal."""
    return Result(check, Status.UNSET, text)


def warning(check: str, text: str) -> Result:
    """Podcap works, but worse than it could; the text says what to do."""
    return Result(check, Status.WARNING, text)


def problem(check: str, text: str) -> Result:
    """Not as it should be; the text says what to do."""
    return Result(check, Status.PROBLEM, text)


def for_slack(settings: Settings) -> bool:
    """Whether podcap is set up for Slack here, if only in part."""
    return any((settings.slack_bot_token, settings.slack_app_token, settings.slack_signing_secret))
