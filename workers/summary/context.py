"""What is known of a capture besides its packets, with its form in JSON. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Context:
    """Given to the reading child as one JSON file: `{"cluster": …, "capture": {…}}`.

    Attributes:
        cluster: The snapshot of the cluster as JSON (pods with probes, Services, endpoints, nodes).
        pod_addresses: Of the pod that was tapped.
        filter: The capture filter that was asked for.
        dropped: Packets that the kernel dropped; None when unknown.
        moved: Packets that the tapped interface counted meanwhile; None when unknown.
        cut_by: The limit that ended it (`bytes`, `packets`), None when none did.
    """

    cluster: Mapping[str, Any] | None = None
    pod_addresses: tuple[str, ...] = ()
    filter: str = ""
    dropped: int | None = None
    moved: int | None = None
    cut_by: str | None = None

    def to_json(self) -> dict[str, Any]:
        """`from_json` reads it back."""
        values = asdict(self)
        return {"cluster": values.pop("cluster"), "capture": values}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Context":
        """What `to_json` wrote.

        Raises:
            KeyError, TypeError: It is something else.
        """
        capture = dict(value.get("capture") or {})
        capture["pod_addresses"] = tuple(capture.get("pod_addresses", ()))
        return cls(value.get("cluster"), **capture)
