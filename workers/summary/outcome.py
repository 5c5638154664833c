"""How it went in a child process that writes a file: one JSON object on its standard output."""

import dataclasses
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workers.summary.files.packets import PcapError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from workers.summary.limited import Failure


class NotWrittenError(Exception):
    """The file is not there, or not whole; the message ends a sentence, as in `: it took more than 1 s.`."""


def tell(write: "Callable[[], DataclassInstance]") -> int:
    """In the child: writes, and says what was written, or why nothing was; gives the exit code."""
    try:
        said = dataclasses.asdict(write())
    except PcapError as error:
        said = {"error": str(error)}
    except OSError as error:
        said = {"error": f"Writing failed: {error.strerror}."}
    json.dump(said, sys.stdout)
    sys.stdout.write("\n")
    return 1 if "error" in said else 0


def told(output: bytes, failure: "Failure | None") -> dict[str, Any]:
    """In its parent: what was written, as `tell` said it.

    Args:
        output: What the child wrote on its standard output.
        failure: Why it did not end well, as `run_limited` says it.

    Raises:
        NotWrittenError: Nothing was, or not to its end.
    """
    said: dict[str, Any] = json.loads(output) if output.endswith(b"\n") else {}
    if "error" in said:
        raise NotWrittenError(f". {said['error']}")
    if failure or not said:
        raise NotWrittenError(f": {failure or 'nothing was said'}.")
    return said
