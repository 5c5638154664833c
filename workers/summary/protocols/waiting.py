"""Questions that wait for their answers, where answers come in the order of the questions. Pure."""

from collections import deque
from typing import Literal

from workers.summary.exchange import CallExchange
from workers.summary.protocols.inbox import Place
from workers.summary.protocols.reader import MOST_WAITING, Connection


class Waiting:
    """Pairs questions and answers.

    Where packets are missing, or the reader came in the middle, an answer can belong to a question that was
    not seen. Then questions are told without their answers until the server has spoken and the client asks
    again, which is exact for clients that wait for each answer.

    Attributes:
        told: Exchanges that are complete; whoever takes them empties it.
    """

    def __init__(self, connection: Connection, service: Literal["Redis", "PostgreSQL"]) -> None:
        self._connection = connection
        self._service: Literal["Redis", "PostgreSQL"] = service
        self.told: list[CallExchange] = []
        self._asked: deque[tuple[str, Place]] = deque()
        self._settled = True
        self._heard = False
        self._begun: Place | None = None

    def ask(self, name: str, at: Place) -> None:
        """A question."""
        if not self._settled and self._heard:
            self._settled = True
        if not self._settled:
            self.tell(name, at, unread=True)
            return
        self._asked.append((name, at))
        if len(self._asked) > MOST_WAITING:
            self.tell(*self._asked.popleft(), unread=True)

    def begin(self, at: Place) -> None:
        """The next answer begins, or goes on, here."""
        if self._asked and self._begun is None:
            self._begun = at

    def answer(self, at: Place, error: str = "") -> None:
        """The next answer ends here; one without a question is passed over."""
        self._heard = True
        if self._asked:
            self.begin(at)
            self.tell(*self._asked.popleft(), answered=self._begun, error=error)
            self._begun = None

    def doubt(self) -> None:
        """Bytes are missing: which answer is whose is unknown for now."""
        while self._asked:
            self.tell(*self._asked.popleft(), unread=True)
        self._settled = self._heard = False
        self._begun = None

    def end(self, *, cut: bool) -> None:
        """No more comes: what waits still was not answered, unless the server's last packet was cut."""
        while self._asked:
            self.tell(*self._asked.popleft(), answered=self._begun, unread=cut and self._begun is None)
            self._begun = None

    def tell(
        self, name: str, asked: Place, *, answered: Place | None = None, error: str = "", unread: bool = False
    ) -> None:
        """An exchange is complete."""
        seconds = None if answered is None else answered.time - asked.time
        client, server = self._connection.client, self._connection.server
        self.told.append(
            CallExchange(
                client, server, asked.frame, asked.time, self._service, name, error or None, seconds, unread
            )
        )

    def take(self) -> list[CallExchange]:
        """What is complete since the last time."""
        told, self.told = self.told, []
        return told
