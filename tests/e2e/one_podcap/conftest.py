"""One podcap for all files of this folder: to start its three processes takes five seconds of CPU."""

from collections.abc import Iterator
from typing import Any

import pytest

from deploy.lab.handle import LabHandle
from tests.e2e.conftest import World
from tests.e2e.in_process import beat_services
from workers.services import Services


@pytest.fixture(scope="package")
def world(lab: LabHandle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """podcap over HTTP."""
    world = World(lab, tmp_path_factory.mktemp("podcap"))
    try:
        world.start()
        yield world
    finally:
        world.stop()


@pytest.fixture(scope="module")
def services(world: Any) -> Iterator[Services]:
    """What beat works with."""
    with beat_services(world) as services:
        yield services
