"""What goes wrong in TCP connections, noticed while they are counted. Pure."""

from collections.abc import Iterable

from mypy_extensions import i64

from workers.summary.event import Event, Kind
from workers.summary.files.packets import EARLIEST, seconds
from workers.summary.flow import Side
from workers.summary.flows.conversation import MASK, RST, UNKNOWN, Conversation, Direction
from workers.summary.flows.listening import Listening

_BURST = 1_000_000_000
_MOST_BURSTS = 10_000


class Trouble:
    """Events of connections, told to `Listening`."""

    def __init__(self, listening: Listening) -> None:
        self._listening = listening
        # By side and kind: the figures of the event that goes on, when it began and was last added to.
        self._bursts: dict[tuple[Direction, Kind], tuple[dict[str, float], int, int]] = {}
        # By side that took nothing more: what the other one had sent then.
        self._full: dict[Direction, int] = {}

    def again(self, side: Direction, time: i64, frame: i64, size: i64) -> None:
        """A retransmission of so many bytes of the stream."""
        numbers = self._burst("retransmission", side, time, frame)
        numbers["smallest"] = min(float(size), numbers.get("smallest", float(size)))

    def zero_window(self, side: Direction, time: i64, frame: i64) -> None:
        """A window of nothing."""
        side.zero_windows += 1
        sent: i64 = side.back.next
        # A window stays closed as long as nothing is sent but single bytes, which ask whether it is open.
        before: i64 = self._full.get(side, UNKNOWN)
        shut = before != UNKNOWN and (sent - before) & MASK <= 1
        self._burst("zero-window", side, time, frame, goes_on=shut)
        if before != UNKNOWN or len(self._full) < _MOST_BURSTS:
            self._full[side] = sent

    def closing(self, side: Direction, flags: i64, time: i64, frame: i64) -> None:
        """A segment with FIN or RST; called before it is counted."""
        if flags & RST and side.resets == 1:
            conversation, back = side.conversation, side.back
            refuses = not side.packets and bool(back.syns) and not back.zero_windows
            begun = min(side.first, back.first)
            after = 0.0 if begun > time else seconds(time - begun)
            numbers = {"after": after} if refuses else {"after": after, "idle": _since(conversation, time)}
            self._tell("refused" if refuses else "reset", side, time, frame, numbers)
            self._listening.close(conversation)
        elif side.fins and side.back.fins:
            self._listening.close(side.conversation)

    def end(self, conversations: Iterable[Conversation]) -> None:
        """SYNs that nothing came back to."""
        for conversation in conversations:
            opener = conversation.opener
            # One that goes on was answered where this capture does not see it.
            if opener is None or not opener.syns or opener.back.packets:
                continue
            if opener.packets <= opener.syns + opener.resets:
                span = seconds(opener.last - opener.first)
                numbers = {"tries": float(opener.syns), "seconds": span}
                self._tell("unanswered", opener, opener.first, conversation.frame, numbers)

    def _burst(
        self, kind: Kind, side: Direction, time: i64, frame: i64, *, goes_on: bool = False
    ) -> dict[str, float]:
        known = self._bursts.get((side, kind))
        if known is not None and (goes_on or time - known[2] <= _BURST):
            numbers = known[0]
            begun: i64 = known[1]
            numbers["segments"] += 1
            numbers["seconds"] = seconds(max(0, time - begun))
        else:
            numbers, begun = {"segments": 1.0, "seconds": 0.0}, time
            self._tell(kind, side, time, frame, numbers)
        if known is not None or len(self._bursts) < _MOST_BURSTS:
            self._bursts[side, kind] = numbers, begun, time
        return numbers

    def _tell(self, kind: Kind, side: Direction, time: i64, frame: i64, numbers: dict[str, float]) -> None:
        conversation = side.conversation
        which: Side = "a" if side is conversation.forth else "b"
        source, target = conversation.ends(side)
        since = self._listening.seconds(time)
        event = Event(kind, frame, since, conversation.index, which, source, target, numbers=numbers)
        self._listening.event(event, time)


def _since(conversation: Conversation, time: i64) -> float:
    """Seconds since its latest packet; 0 when there was none."""
    return 0.0 if conversation.last == EARLIEST else seconds(max(0, time - conversation.last))
