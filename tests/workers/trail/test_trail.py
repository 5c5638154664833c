"""The trail in its table, on both databases."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import DBAPIError

from tests.workers.trail.written import written
from workers.ledger.ledger import Ledger
from workers.ledger.schema import trail
from workers.trail.chain import BEFORE_THE_FIRST
from workers.trail.entry import Head
from workers.trail.trail import Trail, Wanted, append

_APPEND = """
import sys
from workers.ledger.engine import open_engine
from workers.ledger.ledger import Ledger
ledger = Ledger(open_engine(sys.argv[1]))
for number in range(40):
    ledger.record(None, "audited", by="process " + sys.argv[2], facts={"number": number})
"""


def test_writers_at_once_in_threads_and_processes_never_fork_the_chain(engine: Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    processes = [
        subprocess.Popen([sys.executable, "-c", _APPEND, url, str(number)], stderr=subprocess.PIPE)
        for number in range(2)
    ]
    ledger = Ledger(engine)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: ledger.record(None, "audited", by=f"thread {number}"), range(80)))
    for process in processes:
        _, said = process.communicate()
        assert process.returncode == 0, said.decode()
    verdict = Trail(engine).verify()
    assert verdict.ok, verdict.sentence
    entries = list(Trail(engine).entries())
    assert [entry.number for entry in entries] == list(range(1, 2 * 40 + 80 + 1))
    times = [entry.at for entry in entries]
    assert times == sorted(times)  # on one machine's clock


def test_the_head_is_the_last_entry_and_zeros_before_the_first(engine: Engine) -> None:
    assert Trail(engine).head() == Head(0, BEFORE_THE_FIRST)
    Ledger(engine).record(None, "audited", by="U1")
    entry = Ledger(engine).record(None, "audited", by="U2")
    assert Trail(engine).head() == Head(2, entry.hash)


def test_an_entry_of_a_transaction_that_fails_is_not_there(engine: Engine) -> None:
    connection = engine.connect()
    append(connection, "audited", by="U1", at=datetime.now(UTC))
    connection.rollback()
    connection.close()
    assert list(Trail(engine).entries()) == []


def test_facts_and_names_of_any_characters_are_kept_and_read_back(engine: Engine) -> None:
    facts = {"said": "Zoë \0 \ud800 \x1b[31m 🦊", "at": datetime(2026, 1, 31, tzinfo=UTC), "none": None}
    Ledger(engine).record(None, "audited", by="a\0b\udc80", facts=facts)
    (entry,) = Trail(engine).entries()
    assert entry.known() == facts | {"at": "2026-01-31T00:00:00.000000Z"}
    assert entry.by == "a\\u0000b\\udc80"
    assert Trail(engine).verify().ok


def test_a_fact_that_json_does_not_have_is_refused_and_nothing_is_written(engine: Engine) -> None:
    for fact in (object(), float("nan"), {1, 2}):
        with pytest.raises((TypeError, ValueError)):
            Ledger(engine).record(None, "audited", by="U1", facts={"fact": fact})
    assert list(Trail(engine).entries()) == []


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Wanted(), [1, 2, 3, 4, 5, 6, 7, 8]),
        (Wanted(number=3), [3]),
        (Wanted(capture_id="cap-000002"), [2]),
        (Wanted(namespace="traefik", pod="cheddar"), [1, 2, 3, 5, 6, 7]),
        (Wanted(namespace="traefik", pod="brie"), []),
        (Wanted(event="audited"), [4, 8]),
        (Wanted(since=datetime(2026, 1, 31, 9, 30, 6, tzinfo=UTC)), [6, 7, 8]),
        (Wanted(behind=6), [7, 8]),
        (Wanted(behind=2, oldest=3), [3, 4, 5]),
        (Wanted(newest=3), [6, 7, 8]),
        (Wanted(event="requested", newest=2), [6, 7]),
    ],
)
def test_entries_are_found_by_what_is_asked(engine: Engine, wanted: Wanted, numbers: list[int]) -> None:
    with engine.begin() as connection:
        connection.execute(insert(trail), [entry._asdict() for entry in written(8)])
    assert [entry.number for entry in Trail(engine).entries(wanted)] == numbers


def test_times_sort_as_texts_also_across_a_whole_second(engine: Engine) -> None:
    start = datetime(2026, 1, 31, 9, 59, 59, 999_999, tzinfo=UTC)
    with engine.begin() as connection:
        for microseconds in range(3):
            append(connection, "audited", by="U1", at=start + timedelta(microseconds=microseconds))
    since = start + timedelta(microseconds=1)
    assert [entry.number for entry in Trail(engine).entries(Wanted(since=since))] == [2, 3]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trail SET facts = '{}' WHERE number = 2",
        "DELETE FROM trail WHERE number = 2",
        "DELETE FROM trail",
    ],
)
def test_the_database_refuses_to_change_or_remove_an_entry(engine: Engine, statement: str) -> None:
    _refused(engine, statement)


def test_the_database_refuses_the_other_ways_to_lose_an_entry(engine: Engine, backend: str) -> None:
    if backend == "postgresql":
        _refused(engine, "TRUNCATE trail")
    replace = " OR REPLACE" if backend == "sqlite" else ""
    for number in (2, 5, 0, 2**63 - 1):  # another's, a gap, before the first, behind which no number is
        _refused(
            engine,
            f'INSERT{replace} INTO trail (number, at, event, "by", facts, hash) '
            f"VALUES ({number}, '2026', 'audited', 'U1', '{{}}', 'x')",
        )


def test_a_temporary_table_of_the_same_name_does_not_hide_where_the_trail_ends(
    engine: Engine, backend: str
) -> None:
    if backend == "sqlite":
        return  # a trigger there knows its own database alone
    with engine.begin() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE trail (number bigint) ON COMMIT DROP"))
        connection.execute(text(f"INSERT INTO pg_temp.trail VALUES ({2**63 - 2})"))
        statement = (
            'INSERT INTO public.trail (number, at, event, "by", facts, hash) '
            f"VALUES ({2**63 - 1}, '2026', 'audited', 'U1', '{{}}', 'x')"
        )
        with pytest.raises(DBAPIError, match="the trail is append-only"), connection.begin_nested():
            connection.execute(text(statement))


def _refused(engine: Engine, statement: str) -> None:
    if not list(Trail(engine).entries()):
        with engine.begin() as connection:
            connection.execute(insert(trail), [entry._asdict() for entry in written(3)])
    with pytest.raises(DBAPIError, match="the trail is append-only"), engine.begin() as connection:
        connection.execute(text(statement))
    assert list(Trail(engine).entries()) == written(3)
