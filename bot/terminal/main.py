"""The process of the command `podcap`: from its first moment on, a signal ends it in good order.

Ctrl-C, SIGTERM and SIGHUP are no faults: no traceback, and what was begun is cleaned up, such as the files in
which the kubernetes client keeps a kubeconfig's keys. The exit code is then 128 and the signal's number, as
shells have it. Here little is imported, because importing all the rest takes a while.
"""

import gc
import logging
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

from bot.terminal.streams import prepare

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Runs the command that was typed; the exit code."""
    _on_signals(_leave)
    prepare()
    # Each failed try is a warning there; podcap says once what came of them.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    # Nothing of what is imported becomes garbage. To look for some, now and at the end, takes a fifth of the
    # time that a short command takes.
    gc.disable()
    from bot.terminal.dispatch import import_commands, run  # noqa: PLC0415, see above

    import_commands(sys.argv[1:])
    gc.freeze()
    gc.enable()
    try:
        _on_signals(_interrupt)
        return run()
    except KeyboardInterrupt as interrupt:
        _on_signals(signal.SIG_IGN)
        # What was not written yet nobody waits for, and whoever read it may be gone.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return int(interrupt.args[0])


def _on_signals(do: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for number in _SIGNALS:
        # nohup has SIGHUP ignored, and that stays.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, do)


def _leave(number: int, _frame: FrameType | None) -> None:
    # Nothing was begun, and a module that is being imported may take an exception for its own.
    os._exit(128 + number)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt(128 + number)


if __name__ == "__main__":
    sys.exit(main())
