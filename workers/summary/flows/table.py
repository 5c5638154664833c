"""The conversations of one protocol, and which of them a packet belongs to. Pure."""

from typing import Literal, final

from mypy_extensions import i64

from workers.summary.flows.conversation import ACK, MASK, SYN, UNKNOWN, Conversation, Direction


@final
class Table:
    """The conversations of one protocol; `sides` leads from a packet's key to its direction.

    Those from or to a port in `listened` (two bytes) are listened to from their first segment on.
    """

    def __init__(self, protocol: Literal["TCP", "UDP"], listened: frozenset[bytes] = frozenset()) -> None:
        self.protocol = protocol
        self._listened = listened
        self.sides: dict[bytes, Direction] = {}
        self.conversations: list[Conversation] = []

    def open(self, key: bytes, frame: i64, flags: i64 = 0) -> Direction:
        """A new conversation, which packets of these addresses and ports belong to from now on."""
        conversation = Conversation(self.protocol, key, len(self.conversations), flags, frame)
        self.conversations.append(conversation)
        if key[-2:] in self._listened or key[-4:-2] in self._listened:
            conversation.forth.listened = conversation.back.listened = True
        # A socket connected to itself has one direction: it is entered last.
        self.sides[conversation.back.key] = conversation.back
        self.sides[key] = conversation.forth
        return conversation.forth

    def track(
        self,
        key: bytes,
        flags: i64,
        sequence: i64,
        acknowledged: i64,
        time: i64,
        frame: i64,
        *,
        whole: bool = True,
    ) -> Direction:
        """The direction that a TCP segment belongs to, which a SYN can begin anew.

        A side begins at its SYN, or one before its first segment, or where the other side's first
        acknowledgement says; packet-tcp.c of Wireshark reckons so, never from a segment that is not `whole`.
        """
        side = self.sides.get(key)
        if side is None:
            side = self.open(key, frame, flags)
        if flags & (SYN | ACK) == SYN and side.base not in (UNKNOWN, sequence):
            side = self.open(key, frame, flags)
        if not side.packets:
            side.next = sequence
        if whole:
            if side.base == UNKNOWN:
                side.base = sequence if flags & SYN else (sequence - 1) & MASK
            if flags & ACK and side.back.base == UNKNOWN:
                side.back.base = (acknowledged - 1) & MASK
        conversation = side.conversation
        conversation.shake(side, flags, time)
        known = UNKNOWN not in (side.base, side.back.base)
        side.settled = known and not conversation.awaits(side)
        return side
