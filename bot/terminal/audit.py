"""`podcap audit list|show|verify|export`: reading the trail and checking it.

Needs PODCAP_DATABASE_URL alone; `verify --file` needs nothing.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, inspect
from sqlalchemy.exc import SQLAlchemyError

from bot.terminal.command import CommandError, Commands
from bot.terminal.visible import visible
from workers.ledger.agreement import disagreement
from workers.ledger.engine import open_engine
from workers.ledger.unusable import why_unusable
from workers.request.since import since
from workers.settings import load
from workers.trail.chain import Verdict, check
from workers.trail.entry import Entry
from workers.trail.export import csv_lines, json_lines, read_json_lines
from workers.trail.trail import Trail, Wanted

_LIST_LIMIT = 100
_FORMATS = {"jsonl": json_lines, "csv": csv_lines}


def register(commands: Commands) -> None:
    """Adds the command and its four parts."""
    audit = commands.add_parser("audit", help="read the audit trail, check it, export it")
    parts = audit.add_subparsers(required=True, metavar="list|show|verify|export")

    listing = parts.add_parser("list", help="entries in a line each, the newest last")
    listing.add_argument("--capture", metavar="ID", help="of this capture")
    listing.add_argument("--pod", type=_pod, metavar="NS/POD", help="about this pod")
    listing.add_argument("--since", type=_span, metavar="7d", help="not older than this")
    listing.add_argument(
        "--limit", type=_count, default=_LIST_LIMIT, metavar="N", help="at most so many (%(default)s)"
    )
    listing.add_argument("--json", action="store_true", help="as JSON lines")
    listing.set_defaults(run=_list)

    show = parts.add_parser("show", help="everything that one entry, or each entry of a capture, says")
    show.add_argument("what", metavar="NUMBER|CAPTURE")
    show.set_defaults(run=_show)

    verify = parts.add_parser("verify", help="find out whether the trail was altered")
    verify.add_argument("--head", type=_hash, metavar="HASH", help="a hash that a thread or a mirror kept")
    verify.add_argument("--file", type=Path, metavar="EXPORT.jsonl", help="check this export, no database")
    verify.set_defaults(run=_verify)

    export = parts.add_parser("export", help="the whole trail for another program, or to check it elsewhere")
    export.add_argument("--format", choices=sorted(_FORMATS), default="jsonl")
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="left out: standard output")
    export.set_defaults(run=_export)


def _list(options: argparse.Namespace) -> int:
    namespace, pod = options.pod or (None, None)
    wanted = Wanted(
        capture_id=options.capture,
        namespace=namespace,
        pod=pod,
        since=None if options.since is None else datetime.now(UTC) - options.since,
        newest=options.limit,
    )
    with _database() as engine:
        told = 0
        for entry in Trail(engine).entries(wanted):
            print(_as_json(entry) if options.json else _in_a_line(entry))
            told += 1
    if told == options.limit:
        print(f"podcap: at most {told} are listed, there may be older ones: --limit N.", file=sys.stderr)
    return 0


def _show(options: argparse.Namespace) -> int:
    number = int(options.what) if re.fullmatch(r"[0-9]{1,18}", options.what) else None
    wanted = Wanted(capture_id=options.what) if number is None else Wanted(number=number)
    found = False
    with _database() as engine:
        for entry in Trail(engine).entries(wanted):
            print("\n" * found + _in_full(entry))
            found = True
    if not found:
        raise CommandError(f"The trail has nothing about {visible(options.what)}: see `podcap audit list`.")
    return 0


def _verify(options: argparse.Namespace) -> int:
    if options.file is not None:
        try:
            with options.file.open("rb") as file:
                verdict = check(read_json_lines(file), options.head)
        except OSError as error:
            raise CommandError(f"{options.file} cannot be read: {error.strerror}.") from error
        if verdict.ok and not verdict.entries:
            raise CommandError(f"{options.file} has no entries: nothing is proven by it.")
        _tell(verdict)
        return 0
    with _database() as engine:
        _tell(Trail(engine).verify(options.head))
        disagrees = disagreement(engine)
    if disagrees is not None:
        raise CommandError(visible(disagrees))
    return 0


def _tell(verdict: Verdict) -> None:
    if verdict.ok:
        print(verdict.sentence)
        print(f"Its head is entry {verdict.number}: {verdict.hash}", flush=True)
        return
    if verdict.number:
        print(f"As they were written: entries 1 to {verdict.number:,}.")
    raise CommandError(visible(verdict.sentence))


def _export(options: argparse.Namespace) -> int:
    with _database() as engine:
        lines = _FORMATS[options.format](Trail(engine).entries())
        if options.output is None:
            _write(lines, 1)
            return 0
        try:
            _write(lines, options.output)
        except OSError as error:
            raise CommandError(f"{options.output} cannot be written: {error.strerror}.") from error
    return 0


def _write(lines: Iterator[str], to: Path | int) -> None:
    # In a trail that was altered there may be text that UTF-8 does not have.
    with open(to, "w", encoding="utf-8", errors="backslashreplace", newline="", closefd=to != 1) as file:
        file.writelines(line + "\n" for line in lines)


@contextmanager
def _database() -> Iterator[Engine]:
    engine = open_engine(load().database_url)
    try:
        if not _has_trail(engine):
            raise CommandError("PODCAP_DATABASE_URL: there is no trail yet. See docs/settings.md.")
        yield engine
    except SQLAlchemyError as error:
        raise CommandError(f"PODCAP_DATABASE_URL: {why_unusable(error, engine.url)}") from error
    finally:
        engine.dispose()


def _has_trail(engine: Engine) -> bool:
    path = engine.url.database
    if engine.dialect.name == "sqlite" and (not path or not Path(path).exists()):
        return False  # to look would create it
    return inspect(engine).has_table("trail")


def _as_json(entry: Entry) -> str:
    return json.dumps(entry._asdict() | {"facts": entry.known()}, default=repr)


def _in_a_line(entry: Entry) -> str:
    at = str(entry.at)[:19].replace("T", " ") + "Z"
    number, event = f"{entry.number:>6}", f"{entry.event:<14}"
    columns = (number, at, event, entry.capture_id or "-", entry.about or "-", f"by {entry.by}")
    return visible("  ".join(map(str, columns)))


def _in_full(entry: Entry) -> str:
    columns = {key: value for key, value in entry._asdict().items() if value is not None}
    del columns["facts"]
    # Apart and indented: a fact never looks like a column.
    return "\n".join([*_table(columns), *("    " + line for line in _table(entry.known()))])


def _table(values: dict[str, object]) -> list[str]:
    width = max(map(len, values), default=0)
    return [f"{visible(key):<{width}}  {visible(_said(value))}" for key, value in values.items()]


def _said(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)


def _pod(text: str) -> tuple[str, str]:
    namespace, slash, pod = text.partition("/")
    if not (namespace and slash and pod):
        raise argparse.ArgumentTypeError("write NAMESPACE/POD")
    return namespace, pod


def _span(text: str) -> timedelta:
    span = since(text)
    if span is None:
        raise argparse.ArgumentTypeError("write a number and s, m, h, d or w, as in 7d")
    return span


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise argparse.ArgumentTypeError("write a number from 1 on")
    return int(text)


def _hash(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise argparse.ArgumentTypeError("write all 64 hexadecimal digits of a hash")
    return text.lower()
