"""Packets through tshark, read by pyshark."""

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Iterable, Iterator
from functools import partial

from pyshark.capture.capture import Capture
from pyshark.packet.packet import Packet

from workers.summary.confine import end_with

_GRACE = 1.0


class TsharkCapture(Capture):
    """A capture file in memory, of any format that tshark reads: pyshark's own class writes plain pcap to it.

    Args:
        tshark: The program's path.
        file: The file's bytes.
        decode_as: What tshark would not know by the port: `tcp.port==50051,http2`.
    """

    def __init__(self, tshark: str, file: bytes, decode_as: Iterable[str] = ()) -> None:
        # A loop of its own: the one that pyshark would take changes how the process waits for children.
        super().__init__(eventloop=asyncio.new_event_loop())  # type: ignore[no-untyped-call]
        self._arguments = [tshark, "-n", "-r", "-", "-T", "pdml"]
        self._arguments += [part for each in decode_as for part in ("-d", each)]
        self._file = file

    async def _get_tshark_process(
        self,
        packet_count: int | None = None,  # noqa: ARG002, what pyshark hands over
        stdin: int | None = None,  # noqa: ARG002, likewise
    ) -> Process:
        process = await asyncio.create_subprocess_exec(
            *self._arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            # Safe here: until then this process has one thread.
            preexec_fn=partial(end_with, os.getpid()),
        )
        self._running_processes.add(process)
        if process.stdin is not None:
            # The rest is written while packets are read; closing waits for that.
            process.stdin.write(self._file)
            process.stdin.close()
        return process

    async def _cleanup_subprocess(self, process: Process) -> None:
        """Lets it end by itself before it is killed.

        pyshark kills at once what has closed its output: subprocess then fetches the exit status while
        asyncio waits for it, and takes that for a failure. Whether packets are missing the caller sees.
        """
        try:
            await asyncio.wait_for(process.wait(), _GRACE)
        except TimeoutError:
            process.kill()
            await process.wait()

    def read(self) -> Iterator[Packet]:
        """The packets; tshark is gone and the loop closed behind the last of them, or behind an error.

        Raises:
            Exception: Whatever pyshark raises about output that it does not understand.
        """
        try:
            yield from self
        finally:
            self.close()  # type: ignore[no-untyped-call]
            self.eventloop.close()
