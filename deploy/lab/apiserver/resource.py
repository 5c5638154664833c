"""What a resource is: a kind of object, and how it is served."""

from dataclasses import dataclass, field

READ = ("get", "list", "watch")
_WRITE = ("create", "delete", "patch", "update")
STORED = tuple(sorted((*READ, *_WRITE, "deletecollection")))
STORED_ONE_BY_ONE = tuple(sorted((*READ, *_WRITE)))
STATUS = ("get", "patch", "update")
SCALABLE: dict[str, tuple[str, ...]] = {"scale": STATUS, "status": STATUS}


@dataclass(frozen=True)
class Resource:
    """One kind of object and how it is served.

    Attributes:
        model: Name of the kind's description in `schema`.
        generation: Whether `metadata.generation` counts changes of the spec, as recorded for the kind.
        subresources: Name -> verbs.
        returned: Whether DELETE answers with the object instead of a Status.
    """

    plural: str
    kind: str
    model: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True
    verbs: tuple[str, ...] = STORED
    subresources: dict[str, tuple[str, ...]] = field(default_factory=dict)
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    generation: bool = False
    returned: bool = False

    @property
    def group_version(self) -> str:
        """The `apiVersion` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """Its name in messages, such as `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_kind(self) -> str:
        """Its kind in messages, such as `Deployment.apps`."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def stored(self) -> bool:
        """Whether objects of it are kept; a review is only answered."""
        return "get" in self.verbs

    @property
    def has_status(self) -> bool:
        """Whether its status is written apart from its spec."""
        return "status" in self.subresources
