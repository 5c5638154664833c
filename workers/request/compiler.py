"""libpcap's compiler, asked in a child process that has little and may do little.

A filter is hostile input to a C library: a crash, a loop or a lookup stays in the child (`compile_child`).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.request.compile_server import CompileServer
from workers.request.filter_error import FilterError
from workers.request.quoting import inert

_SERVER = CompileServer(Path(__file__).with_name("compile_child.py"))


class CompilerError(FilterError):
    """The filter could not be compiled at all: libpcap is missing, or it took too much."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """`group`: the number of the first group of which a filter compiles, None when there is none.

    `error`: what libpcap said to the very first filter.
    """

    group: int | None
    error: str


def compile_any(
    link_type: str, tried: Sequence[tuple[str, Sequence[str]]], *, seconds: float, optimize: bool
) -> Compiled:
    """Compiles each group's head with each of its tails, in order, until one compiles.

    Args:
        link_type: The name of a link type without `DLT_` (pcap-linktype(7)).
        tried: Groups of a head and its tails; head + tail is a filter.
        seconds: After so long the child is ended; it ends itself after 2 s of CPU time.
        optimize: Whether libpcap optimizes, as tcpdump does; only then it finds that no packet can match.

    Raises:
        CompilerError: There is no answer.
    """
    answer = _ask({"link_type": link_type, "optimize": optimize, "groups": tried}, seconds)
    if "missing" in answer:
        raise CompilerError(
            "podcap cannot check filters, because libpcap is missing where it runs: "
            "install the package libpcap0.8, or ask without a filter."
        )
    if "unknown" in answer:
        raise CompilerError(
            f"podcap cannot check this filter, because libpcap knows no link type `{inert(link_type)}`: "
            "ask without a filter."
        )
    return Compiled(answer["group"], answer["error"] or "")


def _ask(question: dict[str, Any], seconds: float) -> dict[str, Any]:
    try:
        said = _SERVER.ask(json.dumps(question).encode(), seconds)
    except TimeoutError:
        raise CompilerError("This filter takes too long to compile: make it shorter.") from None
    if not said:
        raise CompilerError("This filter takes too much time or memory to compile: make it shorter.")
    answer: dict[str, Any] = json.loads(said)
    return answer
