"""A podcap under fire, on either database."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.lab.apiserver.kubeconfig import for_client, write
from deploy.lab.apiserver.pki import Authority
from deploy.lab.apiserver.users import MASTERS
from deploy.lab.handle import LabHandle
from deploy.lab.postgresql import PostgreSQLServer
from tests.e2e.faults.scene import POLICY, SETTINGS, Scene, pinged_pod
from workers.ledger.engine import open_engine
from workers.ledger.ledger import Ledger


@pytest.fixture
def make_scene(
    lab: LabHandle, make_world: Callable[..., Any], tmp_path: Path
) -> Iterator[Callable[..., Scene]]:
    """Makes a scene on SQLite, or on a PostgreSQL server."""
    with ExitStack() as stack:

        def make(name: str, postgresql: PostgreSQLServer | None = None) -> Scene:
            settings = SETTINGS | {"KUBECONFIG": str(_kubeconfig(lab, name, tmp_path))}
            if postgresql is not None:
                database = f"faults_{name.replace('-', '_')}"
                postgresql.run(f"CREATE DATABASE {database}")
                settings["PODCAP_DATABASE_URL"] = postgresql.url(database)
            pod, address = stack.enter_context(pinged_pod(lab, name))
            world = make_world(policy=POLICY, settings=settings)
            engine = open_engine(world.environment["PODCAP_DATABASE_URL"])
            stack.callback(engine.dispose)
            return Scene(name, world, Ledger(engine), pod, address, postgresql)

        yield make


def _kubeconfig(lab: LabHandle, user: str, folder: Path) -> Path:
    """One of its own for each scene, so that the cluster can tell whose requests are to wait."""
    server = yaml.safe_load(lab.places.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    authority = Authority(lab.directory / "pki")
    path = folder / f"{user}.kubeconfig"
    write(path, for_client(server, authority.certificate, user, authority.client(user, (MASTERS,))))
    return path


@pytest.fixture(autouse=True)
def slack_of_people(lab: LabHandle, world_of: Callable[..., Any], tmp_path: Path) -> Iterator[None]:
    """Two more people, and a Slack that remembers when it is killed, and lets post often."""
    hands = world_of(lab, tmp_path)
    hands.control("join", {"users": ["dora", "fran"], "channels": ["incidents"], "groups": ["oncall"]})
    hands.control("limits", {"scale": 20, "burst": 100})
    hands.control("keep", {"on": True})
    yield
    hands.control("keep", {"on": False})
    hands.control("limits", {"scale": 1, "burst": 5})
