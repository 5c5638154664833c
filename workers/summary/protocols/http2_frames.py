"""Frames of HTTP/2 (RFC 9113, 4 and 6): read where they hold headers or errors, else passed over. Pure."""

from typing import NamedTuple

from workers.summary.protocols.inbox import Inbox

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, PRIORITY, RESET, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, PRIORITISED = 0x1, 0x4, 0x8, 0x20
ACKNOWLEDGES = 0x1

LONGEST_BLOCK = 14 << 10
"""Bytes of headers, in one frame or several, that are read; servers usually take 8 KiB."""

_HEAD = 9
_LONGEST_UNASKED = 1 << 14  # SETTINGS_MAX_FRAME_SIZE before it is raised
_READ_WHOLE = frozenset((HEADERS, PUSH, CONTINUATION))
_READ_BEGINNING = {RESET: 4, GOAWAY: 8}
_FLAGS = {DATA: 0x09, HEADERS: 0x2D, SETTINGS: 0x01, PUSH: 0x0C, PING: 0x01, CONTINUATION: 0x04}
_SIZES = {PRIORITY: 5, RESET: 4, PING: 8, WINDOW: 4}
_OF_CONNECTION = frozenset((SETTINGS, PING, GOAWAY))
_LEAST_CHAIN = 2


class Frame(NamedTuple):
    """A frame's header, and of its payload what is read; `payload` is None of headers that are too long."""

    kind: int
    flags: int
    stream: int
    payload: bytes | None


def next_frame(inbox: Inbox) -> Frame | None:
    """The next frame; None while it is not there."""
    head = inbox.look(_HEAD)
    if head is None:
        return None
    size, kind, flags, stream = _parse(head, 0)
    wanted = min(size, _READ_BEGINNING.get(kind, 0))
    if kind in _READ_WHOLE:
        wanted = size if size <= LONGEST_BLOCK else 0
    whole = inbox.look(_HEAD + wanted)
    if whole is None:
        return None
    inbox.skip(_HEAD + size)
    return Frame(kind, flags, stream, None if wanted < size and kind in _READ_WHOLE else whole[_HEAD:])


def look_like_frames(data: bytes) -> bool:
    """Whether bytes from the middle of a connection begin with frames, as far as they reach.

    Two in a row, one of a kind whose length and stream are fixed, or one of headers that ends with the bytes:
    nothing else looks so by chance.
    """
    at = chain = 0
    certain = False
    while at + _HEAD <= len(data):
        size, kind, flags, stream = _parse(data, at)
        if not _plausible(size, kind, flags, stream, reserved=data[at + 5] >> 7):
            return False
        whole = at + _HEAD + size <= len(data)
        certain = certain or (whole and (kind in _SIZES or (kind == SETTINGS and bool(size or flags))))
        at += _HEAD + size
        certain = certain or (kind == HEADERS and size > 0 and at == len(data))
        chain += 1
    return certain or chain >= _LEAST_CHAIN


def block(frame: Frame) -> bytes | None:
    """The headers' part of a HEADERS, PUSH_PROMISE or CONTINUATION frame; None where it is malformed."""
    payload = frame.payload
    if payload is None:
        return None
    begin, end = 0, len(payload)
    if frame.kind != CONTINUATION:
        if frame.flags & PADDED:
            if not payload:
                return None
            begin, end = 1, end - payload[0]
        begin += 4 if frame.kind == PUSH else 5 if frame.flags & PRIORITISED else 0
    return payload[begin:end] if begin <= end else None


def _parse(data: bytes, at: int) -> tuple[int, int, int, int]:
    """Length, type, flags and stream of the frame header at `at`."""
    stream = int.from_bytes(data[at + 5 : at + _HEAD], "big") & 0x7FFFFFFF
    return int.from_bytes(data[at : at + 3], "big"), data[at + 3], data[at + 4], stream


def _plausible(size: int, kind: int, flags: int, stream: int, *, reserved: int) -> bool:
    if reserved or kind > CONTINUATION or size > _LONGEST_UNASKED or flags & ~_FLAGS.get(kind, 0):
        return False
    if kind != WINDOW and (stream == 0) != (kind in _OF_CONNECTION):
        return False
    if kind == SETTINGS:
        return size % 6 == 0 and not (size and flags)
    return size >= 8 if kind == GOAWAY else size == _SIZES.get(kind, size)  # noqa: PLR2004, id and error
