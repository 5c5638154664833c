"""Where the nodes' kubelets listen."""

import hashlib
from pathlib import Path


def directory(state: Path) -> Path:
    """The run directory of a lab: short, because a unix socket's path holds 107 characters at most.

    Args:
        state: The lab's state directory.
    """
    digest = hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:8]
    return Path(f"/run/podcap-lab-{digest}")
