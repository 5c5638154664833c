"""Which topologies this machine's kernel can build: tried in a network namespace that ends with the try."""

import subprocess
from functools import cache

_NEEDS = {
    "macvlan": "link add link one type macvlan",
    "macvlan-second": "link add link one type macvlan",
    "overlay": "link add type vxlan id 1 dstport 8472 local 127.0.0.1",
    "dual-stack": "addr add fd00::1/64 dev one",
    "ipv6": "addr add fd00::1/64 dev one",
}


def why_not(topology: str) -> str | None:
    """Why the lab cannot build a topology here, as a sentence; None when it can."""
    command = _NEEDS.get(topology)
    complaint = command and _refused(command)
    return f"this kernel cannot build the topology {topology}: {complaint}" if complaint else None


@cache
def _refused(command: str) -> str:
    lines = f"link add one type veth peer name two\n{command}\n"
    done = subprocess.run(
        ["unshare", "--net", "ip", "-batch", "-"], input=lines, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return ""
    return done.stderr.strip().splitlines()[0] if done.stderr.strip() else "ip failed"
