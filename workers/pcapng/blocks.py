"""The blocks of a pcapng file that are no packets, little-endian. Pure.

Format: draft-ietf-opsawg-pcapng; numbers of blocks and options as there.
"""

import struct
import unicodedata
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, ip_address

from workers.names.name import host_name
from workers.pcapng.about import About

_SECTION, _INTERFACE, _NAMES, _STATISTICS = 0x0A0D0D0A, 1, 4, 5
_BYTE_ORDER_MAGIC = 0x1A2B3C4D
_UNKNOWN_LENGTH = -1

_COMMENT, _HARDWARE, _SYSTEM, _APPLICATION = 1, 2, 3, 4
_NAME, _DESCRIPTION, _RESOLUTION, _FILTER, _INTERFACE_SYSTEM = 2, 3, 9, 11, 12
_START, _END, _RECEIVED, _DROPPED, _ACCEPTED, _DROPPED_BY_SYSTEM = 2, 3, 4, 5, 6, 7
_IPV4, _IPV6 = 1, 2
_FILTER_AS_TEXT = b"\0"

# An option's length has 16 bits; nothing of ours comes near.
_LONGEST = 4096
# Wireshark takes blocks of 16 MiB at most (MAX_BLOCK_SIZE, wiretap/pcapng.c).
_NAMES_BYTES = 8 << 20
Option = tuple[int, bytes]


def section_header(about: About) -> bytes:
    """The first block: what wrote the file, on what, and the comment on all of it."""
    body = struct.pack("<IHHq", _BYTE_ORDER_MAGIC, 1, 0, _UNKNOWN_LENGTH)
    texts = {_COMMENT: about.comment, _HARDWARE: about.hardware, _SYSTEM: about.system}
    texts[_APPLICATION] = about.application
    return _block(_SECTION, body + _options(_texts(texts)))


def interface_description(about: About, *, link_type: int, snaplen: int, digits: int) -> bytes:
    """The interface that the packets passed.

    Args:
        about: Its name, its description, its filter.
        link_type: Of its packets; 16 bits.
        snaplen: The most bytes of a packet that were captured; 0 for no limit.
        digits: Of a second's fraction in times: 6 for microseconds, 9 for nanoseconds.
    """
    options = _texts({_NAME: about.interface, _DESCRIPTION: about.description})
    options.append((_RESOLUTION, bytes([digits])))
    if about.filter:
        options.append((_FILTER, _FILTER_AS_TEXT + _text(about.filter)))
    options += _texts({_INTERFACE_SYSTEM: about.system})
    return _block(_INTERFACE, struct.pack("<HHI", link_type, 0, snaplen) + _options(options))


def name_resolution(hosts: Mapping[str, str]) -> bytes:
    """Host names of addresses; nothing where there are none, or none that can be written."""
    records = bytearray()
    for text, name in hosts.items():
        try:
            address = ip_address(text)
        except ValueError:
            continue
        kind = _IPV4 if isinstance(address, IPv4Address) else _IPV6
        value = address.packed + host_name(name).encode() + b"\0"
        if name and len(records) < _NAMES_BYTES:
            records += struct.pack("<HH", kind, len(value)) + _padded(value)
    return _block(_NAMES, bytes(records) + struct.pack("<HH", 0, 0)) if records else b""


def interface_statistics(about: About, *, time: int, number: int = 0, unit: int = 1000) -> bytes:
    """When it began, what was received and dropped; nothing where nothing of that is known.

    Args:
        about: The counts.
        time: Of the counting, in the interface's units since 1970.
        number: The interface's, from 0.
        unit: Nanoseconds in one of its units.
    """
    counts = {
        # The first two as dumpcap writes them, where Wireshark shows them; the others say it exactly.
        _RECEIVED: about.received,
        _DROPPED: about.dropped,
        _ACCEPTED: about.received,
        _DROPPED_BY_SYSTEM: about.dropped,
    }
    options = [(code, struct.pack("<Q", count)) for code, count in counts.items() if count is not None]
    if about.began is not None:
        options = [(_START, _time(about.began // unit)), (_END, _time(time)), *options]
    if not options:
        return b""
    return _block(_STATISTICS, struct.pack("<I", number) + _time(time) + _options(options))


def _time(units: int) -> bytes:
    return struct.pack("<II", units >> 32, units & 0xFFFFFFFF)


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + length + body + length


def _texts(texts: Mapping[int, str]) -> list[Option]:
    return [(code, _text(text)) for code, text in texts.items() if text]


def _text(text: str) -> bytes:
    """On one line, in UTF-8, without what could act on a terminal that shows it."""
    shown = "".join(each if unicodedata.category(each)[0] != "C" else " " for each in text[:_LONGEST])
    return shown.encode()[:_LONGEST].decode(errors="ignore").encode()


def _options(options: Iterable[Option]) -> bytes:
    written = b"".join(struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options)
    return written + struct.pack("<HH", 0, 0) if written else b""


def _padded(value: bytes) -> bytes:
    return value + bytes(-len(value) % 4)
