"""Pipes without blocking: nobody waits for what can never come."""

import asyncio
import os
from io import FileIO

import pytest

from deploy.lab.kubelet import pipes


def test_a_file_closed_while_somebody_waits_for_it_is_a_fault_and_no_wait_without_end() -> None:
    async def ask() -> tuple[str, bytes]:
        reading, writing = pipes.pair()
        waiting = asyncio.ensure_future(pipes.read(reading))
        await asyncio.sleep(0)
        number = reading.fileno()
        reading.close()
        other, other_writing = pipes.pair()
        same = (
            other if other.fileno() == number else FileIO(os.dup2(other.fileno(), number, inheritable=False))
        )
        with writing, other, other_writing, same:
            await pipes.write(other_writing, b"heard")
            # Data is there: without it a wait would begin, of which the event loop would never tell the end.
            first = await pipes.read(same)
            with pytest.raises(RuntimeError, match="closed while waited for") as fault:
                await pipes.read(same)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return str(fault.value), first

    said, first = asyncio.run(ask())

    assert first == b"heard"
    assert said.startswith("descriptor ")
