"""`podcap summarize FILE`: what is in a capture file, whoever made it, as text, JSON, a picture or a page.

What one form alone needs is imported for that form: for JSON there is nothing to wait for.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from bot.terminal.command import CommandError, Commands, UsageProblem
from bot.terminal.page_and_picture import add_options, check_options, is_dash, write_both
from bot.terminal.reading import reading
from bot.terminal.words import in_the_terminal
from workers.summary.summarise import SummaryError, summary_json
from workers.summary.summary import Summary


def register(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser("summarize", help="say what is in a capture file")
    parser.add_argument(
        "file", type=Path, nargs="?", metavar="FILE", help="a capture file; - for standard input"
    )
    parser.add_argument("--json", action="store_true", help="as JSON: docs/summary.md")
    parser.add_argument("--schema", action="store_true", help="print the JSON Schema of --json, and no more")
    add_options(parser, taken=False)
    parser.add_argument(
        "--explain",
        action="store_true",
        help="have tshark decode the packets that show the gravest findings, and add what it says of them; "
        "takes about a second more",
    )
    parser.add_argument("--force", action="store_true", help="replace OUT when it is there")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if options.schema:
        print(files("workers.summary").joinpath("schema.json").read_text(encoding="utf-8"), end="")
        return 0
    _check(options)
    line = _summarised(options.file, explain=options.explain)
    if options.json:
        print(line.decode("ascii"))
    if options.html or options.picture:
        title = "standard input" if is_dash(options.file) else options.file.name
        write_both(options, Summary.from_json(json.loads(line)), title, _saying(options))
    elif not options.json:
        _print(Summary.from_json(json.loads(line)))
    return 0


def _print(summary: Summary) -> None:
    from bot.terminal.paint import Paint  # noqa: PLC0415, see above
    from bot.terminal.told import told  # noqa: PLC0415
    from workers.summary.table import WIDTH  # noqa: PLC0415

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH
    for text in told(summary, width=width, paint=Paint(sys.stdout)):
        print(text)


def _check(options: argparse.Namespace) -> None:
    if options.file is None:
        raise UsageProblem("Name a capture file, or - for standard input: `podcap summarize FILE`.")
    check_options(options, options.file, taken=options.json)


def _saying(options: argparse.Namespace) -> Callable[[str], None]:
    """Prints, unless standard output has something else."""
    return (lambda _: None) if options.json or is_dash(options.html) else print


def _summarised(path: Path, *, explain: bool) -> bytes:
    try:
        with (
            _kept(path) if is_dash(path) or path.is_fifo() else nullcontext(path) as file,
            reading(file, sys.stderr) as passing,
        ):
            line = summary_json(file, payload=True, passing=passing)
            return _explained(line, file) if explain else line
    except SummaryError as error:
        raise CommandError(in_the_terminal(str(error))) from error
    except OSError as error:
        of_file = error.filename in (None, str(path))
        why = str(error.strerror or error) if of_file else f"{error.filename}: {error.strerror}"
        tried = "read" if of_file else "summarised"
        raise CommandError(in_the_terminal(f"{path} cannot be {tried}: {why}.")) from error


def _explained(line: bytes, file: Path) -> bytes:
    """The same with what Wireshark says, or with the sentence that says why it does not."""
    from workers.dissection.dissected import DissectionError, dissected  # noqa: PLC0415, see above

    summary = Summary.from_json(json.loads(line))
    try:
        summary = dissected(file, summary)
    except DissectionError as error:
        summary = replace(summary, notes=(*summary.notes, str(error)))
    return "".join(summary.json_pieces()).encode("ascii")


@contextmanager
def _kept(pipe: Path) -> Iterator[Path]:
    """Standard input or a named pipe, in a file until its end has come: some files are read twice."""
    if is_dash(pipe) and sys.stdin.isatty():
        raise UsageProblem(
            "Packets are not typed: name a file, or pipe one in, as in `… | podcap summarize -`."
        )
    with (
        tempfile.NamedTemporaryFile(prefix="podcap-") as file,
        nullcontext(sys.stdin.buffer) if is_dash(pipe) else pipe.open("rb") as source,
    ):
        try:
            shutil.copyfileobj(source, file, 1 << 20)
            file.flush()
        except OSError as error:
            raise CommandError(
                f"What came through the pipe cannot be kept in {tempfile.gettempdir()}: {error.strerror}."
            ) from error
        yield Path(file.name)
