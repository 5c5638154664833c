"""Everything that podcap says of a capture file, from its bytes to each of its outputs."""

import io
import json

from bot.terminal.paint import Paint
from bot.terminal.told import told
from workers.page.page import page
from workers.picture.alt_text import alt_text
from workers.picture.picture import chart_of
from workers.summary.context import Context
from workers.summary.files.capturefile import open_capture
from workers.summary.findings.explained import explained
from workers.summary.flows.counting import Counting
from workers.summary.summary import Summary
from workers.thread.messages import Message, summary_message


def summary_of(data: bytes) -> Summary:
    """As the confined child makes it, in this process.

    Raises:
        PcapError: There is nothing to read.
    """
    file = open_capture(io.BytesIO(data))
    counting = Counting()
    counting.file(file)
    notes = (file.trouble,) if file.trouble else ()
    return explained(counting.result().summary(payload=True, notes=notes), Context())


def printed(summary: Summary) -> str:
    """As JSON, which is how it leaves the child."""
    return json.dumps(summary.to_json())


def message_of(summary: Summary) -> Message:
    """In the thread."""
    return summary_message(summary.digest())


def typed(summary: Summary) -> list[str]:
    """At a terminal."""
    return list(told(summary, width=100, paint=Paint(io.StringIO())))


def everything(data: bytes) -> str:
    """All of it, with the words beside the picture."""
    summary = summary_of(data)
    message = message_of(summary)
    parts = [printed(summary), message.text, json.dumps(message.blocks, ensure_ascii=False), *typed(summary)]
    return "\n".join([*parts, page(summary, "a.pcap"), alt_text(chart_of(summary, "traefik/cheddar"))])
