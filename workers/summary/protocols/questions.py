"""Who has this address? Questions of ARP and neighbour discovery that nobody answers. Pure."""

from collections import OrderedDict
from dataclasses import dataclass

MOST, MOST_ASKERS = 1024, 16
"""Addresses, and who asks for each, that are followed; those untouched longest are forgotten beyond."""

_PATIENCE = 1.0  # seconds until a system asks again (Linux: retrans_time_ms)
_BURST = 3.0  # seconds within which the same question belongs to the same search
_TRIES = 3  # how often a system asks before it gives up (Linux: mcast_solicit)


@dataclass(slots=True)
class Question:
    """One search: who asks for which address, how often, from when to when."""

    asker: str
    address: str
    frame: int
    begun: float
    asked: float
    tries: int = 1


class Questions:
    """Follows the questions of one file.

    A bridge brings questions to all, answers to the asker only. So a question without an answer shows
    nothing by itself: whoever asks three times in a row got none, and so did one whose answers are otherwise
    seen here.
    """

    def __init__(self) -> None:
        # By address, then by asker.
        self._open: OrderedDict[str, OrderedDict[str, Question]] = OrderedDict()
        self._heard: OrderedDict[str, None] = OrderedDict()
        self._now = 0.0

    def ask(self, asker: str, address: str, frame: int, time: float) -> None:
        """Somebody asks for an address."""
        self._now = max(self._now, time)
        askers = self._open.setdefault(address, OrderedDict())
        self._open.move_to_end(address)
        known = askers.get(asker)
        if known is None or (time - known.asked > _BURST and known.tries < _TRIES):
            askers[asker] = Question(asker, address, frame, time, time)
        else:
            known.tries, known.asked = known.tries + 1, time
        if len(self._open) > MOST:
            self._open.popitem(last=False)
        if len(askers) > MOST_ASKERS:
            askers.popitem(last=False)

    def answer(self, asker: str | None, address: str, time: float) -> None:
        """An address has an owner: to one who asked, or (None) to all."""
        self._now = max(self._now, time)
        if asker is None:
            self._open.pop(address, None)
            return
        self._heard[asker] = None
        if len(self._heard) > MOST:
            self._heard.popitem(last=False)
        askers = self._open.get(address)
        if askers:
            askers.pop(asker, None)

    def unanswered(self) -> list[Question]:
        """Those that surely got no answer, once the file has ended."""
        everything = [question for askers in self._open.values() for question in askers.values()]
        return [question for question in everything if self._is_unanswered(question)]

    def _is_unanswered(self, question: Question) -> bool:
        waited = self._now - question.asked >= _PATIENCE or question.tries > 1
        return question.tries >= _TRIES or (question.asker in self._heard and waited)
