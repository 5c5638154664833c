"""Frames of HTTP/2, byte by byte."""

import struct
from collections.abc import Iterable

from hpack import Encoder

from workers.summary.protocols.http2_frames import (
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PREFACE,
    RESET,
    SETTINGS,
)

SETTINGS_FRAME = b"\0\0\0\4\0\0\0\0\0"
OPENING = PREFACE + SETTINGS_FRAME
Fields = Iterable[tuple[str, str]]
GET = (":method", "GET"), (":scheme", "http"), (":path", "/healthz"), (":authority", "cheddar")


def frame(kind: int, stream: int, payload: bytes = b"", flags: int = 0) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def headers(encoder: Encoder, stream: int, fields: Fields, *, end: bool = False) -> bytes:
    return frame(HEADERS, stream, encoder.encode(fields), END_HEADERS | (END_STREAM if end else 0))


def data(stream: int, payload: bytes = b"", *, end: bool = False) -> bytes:
    return frame(DATA, stream, payload, END_STREAM if end else 0)


def reset(stream: int, code: int) -> bytes:
    return frame(RESET, stream, struct.pack(">I", code))


def goaway(code: int, debug: bytes = b"") -> bytes:
    return frame(GOAWAY, 0, struct.pack(">II", 1, code) + debug)


__all__ = ["GET", "OPENING", "SETTINGS", "SETTINGS_FRAME", "data", "frame", "goaway", "headers", "reset"]
