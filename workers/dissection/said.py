"""What is told of a packet that Wireshark has dissected. Pure."""

from collections.abc import Iterator

from pyshark.packet.packet import Packet

from workers.dissection.fields import EXPERT, expert_told, told
from workers.summary.decoded import MOST_EXPERTS, MOST_FIELDS, Decoded

_BODIES = frozenset(("data", "data-text-lines", "json", "urlencoded-form", "mime_multipart", "media", "xml"))
"""Layers that are what another carries: nobody looks for these."""


def said(packet: Packet, frame: int) -> Decoded:
    """The first so many of its fields that are told, those of the innermost layer first, each once.

    Args:
        packet: As pyshark reads it from tshark.
        frame: Its number in the file that it was taken from.
    """
    fields: dict[str, str] = {}
    expert: dict[str, None] = {}
    for layer, name, value, line in _fields(packet):
        if name == EXPERT:
            text = expert_told(layer, value)
            expert.update({text: None} if text else {})
        elif name not in fields and (text := told(name, value, line)):
            fields[name] = text
    return Decoded(
        frame, _protocol(packet), dict(list(fields.items())[:MOST_FIELDS]), tuple(expert)[:MOST_EXPERTS]
    )


def _fields(packet: Packet) -> Iterator[tuple[str, str, str, str]]:
    """Of each field its layer, its name as in display filters, its value, and Wireshark's line."""
    for layer in reversed(packet.layers):
        for name, field in layer._all_fields.items():  # noqa: SLF001, its public names are no display filters'
            for each in field.all_fields:
                yield layer.layer_name, name, each.show or "", each.showname or ""


def _protocol(packet: Packet) -> str:
    names = [layer.layer_name.lower() for layer in packet.layers]
    known = [name for name in names if name not in _BODIES and not name.startswith("_ws.")]
    return known[-1].upper() if known else "unknown"
