"""Cutting packets behind their headers while they arrive, in a child process: `cut_stream_child`."""

import os
import subprocess
import sys

from workers.cut.file import MEMORY


def start_cutting(target: int, *, seconds: int, most: int) -> subprocess.Popen[bytes]:
    """A process that cuts the pcap it gets on standard input and writes it to an open descriptor at once.

    Whoever starts it closes its standard input and waits for it: exit code 0 when everything was written,
    2 when nobody reads any more, 1 when what it got is no pcap. It ends with the thread that started it.

    Args:
        target: A pipe or a file.
        seconds: Of time, CPU and wall, after which it is ended.
        most: Bytes that a file may get by it.
    """
    arguments = ["--seconds", str(seconds), "--memory", str(MEMORY), "--most", str(most)]
    return subprocess.Popen(  # noqa: S603, this interpreter and a module of our own
        # Isolated: neither the folder it stands in nor the environment says what it imports.
        [sys.executable, "-I", "-m", "workers.cut.stream_child", *arguments],
        stdin=subprocess.PIPE,
        stdout=target,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"PATH": os.defpath, "HOME": "/nonexistent", "LANG": "C.UTF-8"},
        bufsize=0,
        start_new_session=True,
    )
