from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.terminal.identity import identify
from tests.workers.cluster.conftest import cluster, server  # noqa: F401, the fixtures
from workers.cluster.cluster import Cluster
from workers.cluster.errors import RefusedError


@pytest.fixture
def kubeconfig(tmp_path: Path) -> str:
    path = tmp_path / "kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "current-context": "here",
                "contexts": [{"name": "here", "context": {"cluster": "c", "user": "alice"}}],
                "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
                "users": [{"name": "alice", "user": {}}],
            }
        )
    )
    return str(path)


def test_the_name_is_the_one_the_server_gives(server: Any, cluster: Cluster, kubeconfig: str) -> None:  # noqa: F811
    server.json("POST ", 201, {"status": {"userInfo": {"username": "alice@example.com"}}})
    who = identify(cluster, kubeconfig)
    assert (who.name, who.proven, who.email) == ("alice@example.com", True, "alice@example.com")


@pytest.mark.parametrize("status", [403, 404])
def test_a_server_that_does_not_say_leaves_a_claim(
    server: Any,  # noqa: F811
    cluster: Cluster,  # noqa: F811
    kubeconfig: str,
    status: int,
) -> None:
    server.json("POST ", status, {"kind": "Status", "message": "no"})
    who = identify(cluster, kubeconfig)
    assert (who.shown, who.proven, who.email) == ("alice (claimed)", False, None)


def test_a_server_that_fails_makes_nobodys_name_a_claim(
    server: Any,  # noqa: F811
    cluster: Cluster,  # noqa: F811
    kubeconfig: str,
) -> None:
    server.json("POST ", 500, {"kind": "Status", "message": "no"})
    with pytest.raises(RefusedError):
        identify(cluster, kubeconfig)
