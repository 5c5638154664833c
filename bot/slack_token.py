"""Whether Slack takes the bot token: asked at the start until Slack has answered."""

import logging
import threading

from workers.settings import Settings
from workers.slack.client import reading_client
from workers.slack.errors import FAULTS, PERMANENT, code, reason

log = logging.getLogger(__name__)

_TRY_AGAIN_AFTER = 5.0


class SlackToken:
    """Asks in the background. While Slack does not answer, nothing is known against the token."""

    def __init__(self, settings: Settings) -> None:
        self._client = reading_client(settings)
        self._refused: str | None = None

    def ask(self, stopping: threading.Event) -> None:
        """Begins to ask."""
        threading.Thread(
            target=self._until_answered, args=(stopping,), name="slack token", daemon=True
        ).start()

    def refused(self) -> str | None:
        """The sentence with which Slack refused it; None when it did not."""
        return self._refused

    def _until_answered(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            try:
                self._client.auth_test()
            except FAULTS as error:
                if code(error) in PERMANENT:
                    self._refused = reason(error)
                    log.error("%s", self._refused)  # noqa: TRY400, a sentence for a person
                    return
                stopping.wait(_TRY_AGAIN_AFTER)
            else:
                return
