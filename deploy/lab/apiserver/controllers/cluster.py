"""What a controller works with."""

from dataclasses import dataclass

from deploy.lab.apiserver.events import Recorder
from deploy.lab.apiserver.registry import Registry
from deploy.lab.apiserver.store import Store


@dataclass(frozen=True)
class Cluster:
    """The objects, the way to change them, and the way to say what happened."""

    store: Store
    registry: Registry
    events: Recorder
