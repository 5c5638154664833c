"""The processes of the Procfile, started with an environment as an operator would start them."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from honcho.environ import parse_procfile

ROOT = Path(__file__).parents[2]
_GRACE_SECONDS = 20.0


class Procfile:
    """Running processes by the names they have in the Procfile; a context manager that ends them.

    Args:
        environment: Added to this process's environment, without any setting of podcap found there; as it
            is when a process is started.
        logs: A folder; each process writes NAME.log into it.
        own: By process, what its environment has besides, such as a KUBECONFIG of its own.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        logs: Path,
        own: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    ) -> None:
        self._commands = dict(parse_procfile((ROOT / "Procfile").read_text()).processes)
        self._environment = environment
        self._own = own
        self._logs = logs
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *names: str) -> Self:
        """Starts the named processes, or all."""
        self._logs.mkdir(parents=True, exist_ok=True)
        environment = _without_settings(os.environ) | dict(self._environment)
        for name in names or self._commands:
            with (self._logs / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    ["sh", "-c", f"exec {self._commands[name]}"],
                    cwd=ROOT,
                    env=environment | dict(self._own.get(name, {})),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        return self

    def log(self, name: str) -> str:
        """What a process wrote so far."""
        path = self._logs / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self, *names: str, with_signal: int = signal.SIGTERM) -> None:
        """Ends the named processes, or all: asks, waits 20 s, then kills what is left of their sessions."""
        chosen = [self.processes.pop(name) for name in names or list(self.processes)]
        for process in chosen:
            if process.poll() is None:
                process.send_signal(with_signal)
        deadline = time.monotonic() + _GRACE_SECONDS
        for process in chosen:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        key: value
        for key, value in environment.items()
        if not key.startswith(("PODCAP_", "SLACK_")) and key not in {"KUBECONFIG", "PORT"}
    }
