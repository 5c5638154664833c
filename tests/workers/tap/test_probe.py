"""A node whose agent image has no `ss`: asked for real, without it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workers.spool.local import LocalAgent, made_link
from workers.cluster.pod import Pod, Port
from workers.tap.gather import gather
from workers.tap.tap import decide

AGENT = Pod("podcap", "podcap-cap-1", "u", "Running", node="n1")
POD = Pod(
    "shop", "api", "u", "Running", node="n1", ips=("10.98.0.1",), host_network=True, ports=(Port(443, "TCP"),)
)
NEEDED = ("sh", "grep", "sort", "perl", "head", "sleep")


@pytest.fixture
def without_ss(tmp_path: Path) -> Iterator[LocalAgent]:
    """An agent pod in which podcap's programs run, but no `ss`."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    for name in NEEDED:
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    with made_link() as link:
        yield LocalAgent(None, AGENT, "cap-1", namespace=link.namespace, path=str(tmp_path))  # type: ignore[arg-type]


def test_without_ss_a_host_network_pod_is_tapped_and_the_thread_says_what_is_not_left_out(
    without_ss: LocalAgent,
) -> None:
    tap = decide(gather(without_ss, POD), POD)
    assert (tap.interface, tap.confidence) == ("any", "medium")
    assert tap.proof[-1].startswith(
        "not left out: podcap's own connections there, if any, since `ss` does not answer ("
    )
    assert "not found" in tap.proof[-1]
