"""The Status object that ends an exec, in the words of a real cluster's two protocols: pure.

Recorded from Kubernetes 1.36 with containerd: with v4.channel.k8s.io the Status is the container runtime's
own; with v5 it has gone through the kubelet once more, which changes its message.
"""

import json
from collections.abc import Sequence
from typing import Any

V4 = "v4.channel.k8s.io"
V5 = "v5.channel.k8s.io"


def exited(protocol: str, command: Sequence[str], code: int) -> bytes:
    """The process ended with an exit code; 128 + N for signal N."""
    if code == 0:
        return _encode({"metadata": {}, "status": "Success"})
    words = f"error executing command [{' '.join(command)}], exit code {code}"
    if protocol == V5:
        words = f"command terminated with exit code {code}"
    return _encode(
        {
            "metadata": {},
            "status": "Failure",
            "message": f"command terminated with non-zero exit code: {words}",
            "reason": "NonZeroExitCode",
            "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
        }
    )


def not_started(protocol: str, exec_id: str, complaint: str) -> bytes:
    """The process could not be started; `complaint` says why, in the runtime's words."""
    cause = (
        "error executing command in container: failed to exec in container: "
        f'failed to start exec "{exec_id}": OCI runtime exec failed: exec failed: '
        f"unable to start container process: {complaint}: unknown"
    )
    if protocol == V5:
        cause = f"Internal error occurred: {cause}"
    return _encode(
        {
            "metadata": {},
            "status": "Failure",
            "message": f"Internal error occurred: {cause}",
            "reason": "InternalError",
            "details": {"causes": [{"message": cause}]},
            "code": 500,
        }
    )


def _encode(status: dict[str, Any]) -> bytes:
    """Go's JSON: no spaces, and <, > and & as escapes."""
    text = json.dumps(status, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode()
