"""A container's log: nothing lost, nothing twice, in order."""

import asyncio
import os
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.lab.kubelet import pipes
from deploy.lab.kubelet.container_log import ContainerLog, LogQuery, written_at
from tests.examples import examples


async def collected(path: Path, parts: list[bytes]) -> ContainerLog:
    """A log into which a process wrote these parts."""
    log = ContainerLog(path)
    reading, writing = pipes.pair()
    collecting = asyncio.ensure_future(log.collect("stdout", reading))
    with writing:
        for part in parts:
            await pipes.write(writing, part)
    await collecting
    return log


async def read(log: ContainerLog, query: LogQuery) -> bytes:
    return b"".join([line async for line in log.read(query)])


@given(st.lists(st.binary(max_size=40_000), max_size=6))
@settings(max_examples=examples(20), deadline=None)
def test_what_a_container_wrote_is_what_is_read(tmp_path_factory: object, parts: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("log") / "0.log"  # type: ignore[attr-defined]

    async def both() -> bytes:
        return await read(await collected(path, parts), LogQuery())

    whole = b"".join(parts)
    assert asyncio.run(both()) == (whole if whole.endswith(b"\n") or not whole else whole + b"\n")


def test_the_last_lines_with_their_times_and_no_more_bytes_than_asked(tmp_path: Path) -> None:
    async def ask() -> tuple[bytes, bytes, bytes]:
        log = await collected(tmp_path / "0.log", [b"one\ntwo\nthree\n"])
        return (
            await read(log, LogQuery(tail_lines=2)),
            await read(log, LogQuery(tail_lines=1, timestamps=True)),
            await read(log, LogQuery(limit_bytes=6)),
        )

    last, timed, few = asyncio.run(ask())

    assert last == b"two\nthree\n"
    assert timed.endswith(b"Z three\n")
    assert few == b"one\ntw"


def test_only_lines_since_a_time_are_read(tmp_path: Path) -> None:
    async def ask() -> tuple[bytes, bytes]:
        log = await collected(tmp_path / "0.log", [b"early\n"])
        early = written_at((tmp_path / "0.log").read_bytes())
        return await read(log, LogQuery(since=early)), await read(log, LogQuery(since=early + 1))

    assert asyncio.run(ask()) == (b"early\n", b"")


def test_a_follower_sees_what_comes_until_the_container_ends(tmp_path: Path) -> None:
    async def ask() -> bytes:
        log = ContainerLog(tmp_path / "0.log")
        reading, writing = pipes.pair()
        collecting = asyncio.ensure_future(log.collect("stdout", reading))
        await pipes.write(writing, b"before\n")
        await asyncio.sleep(0)
        following = asyncio.ensure_future(read(log, LogQuery(follow=True)))
        await asyncio.sleep(0)
        await pipes.write(writing, b"after\n")
        writing.close()
        await collecting
        return await following

    assert asyncio.run(ask()) == b"before\nafter\n"


def test_a_follower_is_let_go_when_the_log_is_no_longer_written(tmp_path: Path) -> None:
    async def ask() -> bytes:
        log = ContainerLog(tmp_path / "0.log")
        reading, writing = pipes.pair()
        collecting = asyncio.ensure_future(log.collect("stdout", reading))
        with writing:
            await pipes.write(writing, b"before\n")
            await asyncio.sleep(0)
            following = asyncio.ensure_future(read(log, LogQuery(follow=True)))
            await asyncio.sleep(0)
            collecting.cancel()
            await asyncio.wait_for(asyncio.gather(collecting, return_exceptions=True), 10)
            return await asyncio.wait_for(following, 10)

    assert asyncio.run(ask()) == b"before\n"


def test_a_full_log_keeps_its_newest_lines(tmp_path: Path) -> None:
    line = b"x" * 1000 + b"\n"

    async def ask() -> bytes:
        log = await collected(tmp_path / "0.log", [line * 1000] * 25 + [b"last\n"])
        return await read(log, LogQuery())

    kept = asyncio.run(ask())
    sizes = [os.stat(path).st_size for path in tmp_path.iterdir()]  # noqa: PTH116 - one figure per file

    assert kept.endswith(b"x\nlast\n")
    assert len(kept) >= 9 * 2**20
    assert len(sizes) == 2
    assert max(sizes) <= 10 * 2**20
