"""A snapshot that is taken beside a capture."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from workers.cluster.cluster import Cluster
from workers.cluster.errors import UnreachableError
from workers.naming import Naming


def test_a_cluster_out_of_reach_is_a_note() -> None:
    @contextmanager
    def connect() -> Iterator[Cluster]:
        raise UnreachableError("The cluster does not answer.")
        yield

    naming = Naming(connect, "traefik")
    naming.begin()
    assert naming.snapshot().notes == ("Addresses have no names: The cluster does not answer.",)


def test_a_capture_does_not_wait_for_its_names_for_ever() -> None:
    over = threading.Event()

    @contextmanager
    def connect() -> Iterator[Cluster]:
        over.wait(30)
        raise UnreachableError("It is too late.")
        yield

    naming = Naming(connect, "traefik")
    naming.begin()
    try:
        assert "had not been listed" in naming.snapshot(0).notes[0]
    finally:
        over.set()


def test_a_capture_without_names_has_an_empty_snapshot() -> None:
    def connect() -> Iterator[Cluster]:
        raise AssertionError

    assert Naming(contextmanager(connect), "traefik").snapshot().notes == ()
