"""Trouble of ARP and of neighbour discovery: addresses that nobody has, that two have, or that move. Pure.

ARP: RFC 826, and 5227 for probes and announcements. Neighbour discovery: RFC 4861, and 4862 for finding
duplicate addresses, which asks from the unspecified address.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from workers.summary.endpoint import Endpoint
from workers.summary.event import Event, Kind
from workers.summary.protocols.claims import Claims, Verdict
from workers.summary.protocols.questions import Questions
from workers.summary.protocols.reader import Lone

_ARP_HEADER = bytes((0, 1, 8, 0, 6, 4))  # of IPv4 on Ethernet
_ARP_SIZE, _REQUEST, _REPLY = 28, 1, 2
_SOLICITATION, _ADVERTISEMENT, _NEIGHBOUR_SIZE = 135, 136, 24
_SOURCE_MACHINE, _TARGET_MACHINE, _NONCE = 1, 2, 14
_ANSWERS = 0x40  # the advertisement answers a solicitation
_NOBODY, _NOBODY_V6 = "0.0.0.0", "::"  # noqa: S104, nothing is bound to it
_BROADCAST = b"\xff" * 6
_AT_ONCE = 1.0  # seconds in which two answers are to the same question (RFC 4862: RetransTimer)
_MOST = 1024


class _Family:
    """What is known of the addresses of IPv4, or of IPv6."""

    def __init__(self, unanswered: Kind, conflict: Kind) -> None:
        self.unanswered: Kind = unanswered
        self.conflict: Kind = conflict
        self.claims, self.questions = Claims(), Questions()
        # By address: who wants to take it (a machine, or the nonce of its question), and who answered, when.
        self.probes: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self.replies: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

    def told(self, address: str, verdict: Verdict | None, packet: Lone) -> Iterator[Event]:
        if verdict is None:
            return
        kind: Kind = "neighbour-moved" if verdict.kind == "moved" else self.conflict
        machines = " ".join(machine.hex(":") for machine in verdict.machines if machine)
        yield Event(kind, packet.frame, packet.time, text=address, by=machines)


class Neighbours:
    """Follows ARP and neighbour discovery of one file."""

    def __init__(self) -> None:
        self._v4 = _Family("arp-unanswered", "arp-conflict")
        self._v6 = _Family("neighbour-unanswered", "neighbour-conflict")

    def read(self, packet: Lone) -> Iterable[Event]:
        """The events that a packet makes sure."""
        data = packet.payload
        if packet.kind == "arp":
            if len(data) >= _ARP_SIZE and data[:6] == _ARP_HEADER:
                return self._arp(self._v4, data, packet)
        elif packet.kind == "icmpv6" and len(data) >= _NEIGHBOUR_SIZE and data[1] == 0:
            if data[0] == _SOLICITATION:
                return self._solicitation(self._v6, data, packet)
            if data[0] == _ADVERTISEMENT:
                return self._advertisement(self._v6, data, packet)
        return ()

    def end(self) -> Iterator[Event]:
        """The addresses that were asked for in vain."""
        for family in (self._v4, self._v6):
            for each in family.questions.unanswered():
                numbers = {"tries": each.tries, "seconds": each.asked - each.begun}
                asker = Endpoint(each.asker, 0)
                yield Event(
                    family.unanswered,
                    each.frame,
                    each.begun,
                    source=asker,
                    text=each.address,
                    numbers=numbers,
                )

    def _arp(self, family: _Family, data: bytes, packet: Lone) -> Iterator[Event]:
        operation, machine, addressee = data[7], data[8:14], data[18:24]
        sender, target = (Endpoint.packed(data[at : at + 4], 0).address for at in (14, 24))
        if operation not in (_REQUEST, _REPLY):
            return
        if sender == _NOBODY:
            yield from _probe(family, target, machine, packet)
            return
        announced = sender == target or addressee == _BROADCAST
        if operation == _REQUEST and sender != target:
            family.questions.ask(sender, target, packet.frame, packet.time)
        answers = operation == _REPLY and not announced
        family.questions.answer(target if answers else None, sender, packet.time)
        yield from _claim(family, sender, machine, packet, answers=answers)

    def _solicitation(self, family: _Family, data: bytes, packet: Lone) -> Iterator[Event]:
        target, options = Endpoint.packed(data[8:24], 0).address, _options(data)
        if packet.source == _NOBODY_V6:
            # Without a nonce a question that comes back cannot be told from that of another machine.
            yield from _probe(family, target, options.get(_NONCE, b""), packet)
            return
        family.questions.ask(packet.source, target, packet.frame, packet.time)
        family.questions.answer(None, packet.source, packet.time)
        if machine := options.get(_SOURCE_MACHINE):
            yield from _claim(family, packet.source, machine, packet, answers=False)

    def _advertisement(self, family: _Family, data: bytes, packet: Lone) -> Iterator[Event]:
        target = Endpoint.packed(data[8:24], 0).address
        answers = bool(data[4] & _ANSWERS)
        family.questions.answer(packet.target if answers else None, target, packet.time)
        machine = _options(data).get(_TARGET_MACHINE, b"")
        yield from _claim(family, target, machine, packet, answers=answers)


def _probe(family: _Family, address: str, who: bytes, packet: Lone) -> Iterator[Event]:
    """Somebody wants to take an address, if nobody has it."""
    before = family.probes.get(address)
    _remember(family.probes, address, who, packet.time)
    if before and who and before[0] and before[0] != who and packet.time - before[1] <= _AT_ONCE:
        yield from family.told(address, Verdict("conflict", (b"", b"")), packet)


def _claim(family: _Family, address: str, machine: bytes, packet: Lone, *, answers: bool) -> Iterator[Event]:
    """A machine (empty: it does not say which) has an address."""
    verdict = family.claims.claim(address, machine, packet.time) if machine else None
    if answers and machine:
        before = family.replies.get(address)
        _remember(family.replies, address, machine, packet.time)
        if before and before[0] != machine and packet.time - before[1] <= _AT_ONCE:
            verdict = Verdict("conflict", (before[0], machine))
    probe = family.probes.pop(address, None)
    if probe and probe[0] != machine and packet.time - probe[1] <= _AT_ONCE:
        verdict = Verdict("conflict", (machine, probe[0] if packet.kind == "arp" else b""))
    yield from family.told(address, verdict, packet)


def _remember(seen: OrderedDict[str, tuple[bytes, float]], address: str, who: bytes, time: float) -> None:
    seen[address] = (who, time)
    seen.move_to_end(address)
    if len(seen) > _MOST:
        seen.popitem(last=False)


def _options(data: bytes) -> dict[int, bytes]:
    """The first option of each type (RFC 4861, 4.6): type, length in units of 8 bytes, value."""
    found: dict[int, bytes] = {}
    at = _NEIGHBOUR_SIZE
    while at + 8 <= len(data) and data[at + 1]:
        found.setdefault(data[at], data[at + 2 : at + 8 * data[at + 1]])
        at += 8 * data[at + 1]
    return found
