"""What was said: HTTP, DNS and TLS, decoded by tshark and read through pyshark.

pyshark, as of 0.6, is used with care:
- it is given an event loop: with none it installs a child watcher that Python 3.12 warns of and 3.14 lacks;
- `use_json` takes a tenth of the time of XML, and `use_ek` wants to write a cache file; the accessors of JSON
  layers look one level deep, so fields are collected here from all levels by their full names;
- its way of killing a tshark that has just ended loses the exit status: it is waited for first;
- the file is standard input (`PipeCapture`): opening it by its name needs rights that this process gave up;
- path and version of tshark are found beforehand, for the same reason.
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pyshark.capture.capture import StopCapture, TSharkCrashException
from pyshark.capture.pipe_capture import PipeCapture
from pyshark.packet.packet import Packet
from pyshark.tshark.tshark import TSharkNotFoundException, get_process_path, get_tshark_version

from workers.summary.exchange import Exchange
from workers.summary.protocols.exchanges import FIELDS, Exchanges

MOST_MESSAGES = 200

_FILTER = (
    "http.request or http.response or dns or tls.handshake.type == 1 or tls.handshake.type == 2 "
    "or tls.alert_message"
)
_LAYERS = "frame ip ipv6 tcp udp http dns tls"
_LONGEST_VALUE = 4096
_ENDING_SECONDS, _LEFT_ALONE_SECONDS = 5.0, 0.05


class DecodeError(Exception):
    """tshark cannot be used; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Tshark:
    """The tshark of this machine."""

    path: str
    version: Any


@dataclass(frozen=True, slots=True)
class Decoded:
    """What was said, and sentences about what is missing."""

    exchanges: tuple[Exchange, ...]
    notes: tuple[str, ...]


def find_tshark() -> Tshark:
    """Looks tshark up in PATH and asks for its version.

    Raises:
        DecodeError: There is none.
    """
    try:
        return Tshark(get_process_path(), get_tshark_version())
    except (TSharkNotFoundException, OSError) as error:
        raise DecodeError("tshark is not installed.") from error


def decode(
    source: int, tshark: Tshark, *, seconds: float, limit: int = MOST_MESSAGES, damaged: bool = False
) -> Decoded:
    """Decodes the first `limit` packets in which something is asked or answered.

    Args:
        source: Descriptor of the pcap file, at its beginning.
        tshark: What `find_tshark` found.
        seconds: How long it may take.
        limit: Packets that match.
        damaged: Whether the file is known to end early; tshark's complaint about that is no news then.
    """
    exchanges, notes = Exchanges(), []
    loop = asyncio.new_event_loop()
    capture = _FileCapture(source, tshark, loop)
    taken = 0

    def take(packet: Packet) -> None:
        nonlocal taken
        taken += 1
        if taken > limit:
            raise StopCapture
        exchanges.add(_message(packet))

    try:
        capture.apply_on_packets(take, timeout=seconds)  # type: ignore[no-untyped-call]
    except TimeoutError:
        notes.append(f"Decoding took longer than {seconds:.0f} s: what was said after that is not listed.")
    except TSharkCrashException:  # it had ended before it could be listened to
        capture.refused = True
    except Exception as error:  # noqa: BLE001, packets are hostile: whatever they break, the rest is told
        notes.append(f"Decoding failed ({type(error).__name__}): what was said after that is not listed.")
    finally:
        loop.close()
    if taken > limit:
        notes.append(f"Only the first {limit} packets with HTTP, DNS or TLS were decoded.")
    elif not notes and (capture.crashed or (capture.refused and not damaged)):
        notes.append("tshark failed or ran out of memory: what was said after that is not listed.")
    return Decoded(exchanges.result(), tuple(notes))


class _FileCapture(PipeCapture):
    """A file on a descriptor, read by a tshark found beforehand."""

    def __init__(self, source: int, tshark: Tshark, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            source,
            display_filter=_FILTER,
            use_json=True,
            eventloop=loop,
            custom_parameters=["-J", _LAYERS],
            # The answer is there with its header; waiting for bodies would cost memory and falsify times.
            override_prefs={"http.desegment_body": "FALSE"},
        )
        self._tshark = tshark
        self.crashed = self.refused = False

    def _get_tshark_path(self) -> str:
        return self._tshark.path

    def _get_tshark_version(self) -> Any:
        return self._tshark.version

    async def _cleanup_subprocess(self, process: asyncio.subprocess.Process) -> None:
        patience = _ENDING_SECONDS if self._eof_reached else _LEFT_ALONE_SECONDS
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), patience)
        # pyshark itself passes over signals, such as the one that ends a tshark out of memory.
        self.crashed = process.returncode is not None and process.returncode < 0
        try:
            await super()._cleanup_subprocess(process)  # type: ignore[no-untyped-call]
        except TSharkCrashException:  # let through, it would leave the rest of closing undone
            self.refused = True
        # What was not read is not waited for; asyncio's Process has no public way to say so.
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001
        await asyncio.sleep(0)


def _message(packet: Packet) -> dict[str, list[str]]:
    """The fields of a packet that exchanges are made of."""
    found: dict[str, list[str]] = {}
    for layer in (packet.frame_info, *packet.layers):
        for part in (layer, *layer.duplicate_layers):
            for name, value in _strings(part._all_fields):  # noqa: SLF001, see the module's docstring
                found.setdefault(name, []).append(value[:_LONGEST_VALUE])
    return found


def _strings(fields: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values at all levels, in order; values of one name can be a list."""
    for name, value in fields.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                yield from _strings(each)
            elif name in FIELDS and isinstance(each, str):
                yield name, each
