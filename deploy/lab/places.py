"""Where a lab keeps what: its state folder, its run folder, its cgroup."""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

DEFAULT = Path("var/lab")


@dataclass(frozen=True)
class Places:
    """The places of the lab whose state folder this is.

    Two labs with two state folders share nothing, so that a test's lab can run beside a person's.

    Attributes:
        state: The state folder, absolute.
    """

    state: Path

    @classmethod
    def of(cls, state: Path) -> "Places":
        """The places of the lab in that folder, which need not exist."""
        return cls(state.resolve())

    @cached_property
    def key(self) -> str:
        """Eight hexadecimal digits that no other state folder on this machine has."""
        return hashlib.sha256(str(self.state).encode()).hexdigest()[:8]

    @property
    def cgroup(self) -> str:
        """The name of the cgroup that holds every process of the lab."""
        return f"podcap-lab-{self.key}"

    @property
    def run(self) -> Path:
        """The kubelets' sockets: a short path, because a socket's path has at most 108 bytes (unix(7))."""
        return Path("/run") / f"podcap-lab-{self.key}"

    @property
    def lock(self) -> Path:
        """Held by whoever starts or ends the lab; it marks the folder as a lab's."""
        return self.state / "lab.lock"

    def is_labs_own(self) -> bool:
        """Whether the state folder was made for a lab, so that everything in it may be removed."""
        return self.lock.exists()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Lets only one process at a time start or end the lab; makes the state folder.

        Raises:
            FileExistsError: The folder holds files that are not a lab's.
        """
        self.state.mkdir(parents=True, exist_ok=True)
        if not self.is_labs_own() and any(self.state.iterdir()):
            raise FileExistsError(
                f"{self.state} holds files that are not a lab's; choose a folder of its own."
            )
        with self.lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def socket(self, node: str) -> Path:
        """Where a node's kubelet listens."""
        return self.run / f"{node}.sock"

    @property
    def images(self) -> Path:
        """The container images, one folder each."""
        return self.state / "images"

    @property
    def nodes(self) -> Path:
        """The nodes' disks, one folder each."""
        return self.state / "nodes"

    @property
    def seed(self) -> Path:
        """The Kubernetes objects a new cluster starts with."""
        return self.state / "seed"

    @property
    def logs(self) -> Path:
        """What the lab's own processes write, one file each."""
        return self.state / "logs"

    @property
    def kubeconfig(self) -> Path:
        """Written by the API server when it is ready."""
        return self.state / "kubeconfig"

    @property
    def slack(self) -> Path:
        """Written by the Slack stand-in when it is ready."""
        return self.state / "slack.json"
