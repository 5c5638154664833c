"""The API server on loopback that tests of the cluster have, too."""

from tests.workers.cluster.conftest import cluster, server

__all__ = ["cluster", "server"]
