"""Traffic of every kind for a while: from the LAN's client through every node, and from pod to pod."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from deploy.lab import cluster
from deploy.lab.cgroups import Tree
from deploy.lab.namespaces import in_network
from deploy.lab.places import Places
from deploy.lab.plan import NODE_PORT, NODES
from deploy.lab.switch import CLIENT, holder

MOST_SECONDS = 3600
_VISITOR = Path(__file__).parent / "programs" / "visitor.py"
_NAMES = ("cheddar", "tls.traefik.svc.cluster.local", "no-such-cheese", "kube-dns.kube-system", "example.com")


def traffic(places: Places, seconds: int) -> str:
    """Lets the visitors work and says in one line how it went.

    Raises:
        LookupError: The lab does not run.
        RuntimeError: A visitor failed; the message has its own words.
        ValueError: The time is out of bounds.
    """
    if not 1 <= seconds <= MOST_SECONDS:
        raise ValueError(f"traffic lasts from 1 to {MOST_SECONDS} seconds")
    visitors = {"the client": _from_client(places, seconds)}
    if places.kubeconfig.exists():
        visitors["the pod shopper"] = _from_pod(places, seconds)
    # Nothing is written into it: it ends with this process, and the visitors with it.
    held, holding = os.pipe()
    processes = {
        who: subprocess.Popen(argv, stdin=held, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for who, argv in visitors.items()
    }
    os.close(held)
    counts: Counter[str] = Counter()
    try:
        for who, process in processes.items():
            output, errors = process.communicate()
            if process.returncode:
                raise RuntimeError(f"{who} failed: {errors.strip()}")
            counts.update(json.loads(output))
    finally:
        os.close(holding)
    return "; ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))


def _from_client(places: Places, seconds: int) -> list[str]:
    tree = Tree(places.cgroup)
    targets = [word for node in NODES for word in ("--http", f"{node.address}:{NODE_PORT}")]
    argv = [sys.executable, "-I", str(_VISITOR), str(seconds), *targets]
    return tree.inside(CLIENT, in_network(holder(tree, CLIENT), argv))


def _from_pod(places: Places, seconds: int) -> list[str]:
    cheddar = next(
        pod["status"]["podIP"]
        for pod in cluster.pods(places)
        if pod["metadata"]["name"].startswith("cheddar-") and cluster.is_ready(pod)
    )
    words = [
        "--http",
        f"{cheddar}:80",
        "--http",
        "cheddar:80",
        "--tls",
        "tls:443",
        "--refused",
        f"{cheddar}:81",
    ]
    names = [word for name in _NAMES for word in ("--dns", name)]
    visitor = ["python3", "-I", "/srv/visitor.py", str(seconds), *words, *names]
    return cluster.kubectl_command(places, "exec", "-i", "-n", "traefik", "shopper", "--", *visitor)
