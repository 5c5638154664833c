"""Who asks for a change and what it is, as admission sees it."""

from dataclasses import dataclass, field

from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.status import Object
from deploy.lab.apiserver.users import AUTHENTICATED, MASTERS, User

CONTROLLERS = User("system:kube-controller-manager", (MASTERS, AUTHENTICATED))


@dataclass
class Asker:
    """Who asks the registry for a change, and how.

    Attributes:
        dry_run: Everything is checked and nothing is kept.
        manager: The field manager that `managedFields` names; empty for a controller, which is not tracked.
        entries: The `managedFields` there will be, where an apply has found them already.
        warnings: What to tell besides the answer; admission adds to it.
    """

    user: User = CONTROLLERS
    dry_run: bool = False
    manager: str = ""
    entries: list[Object] | None = None
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Attributes:
    """A change that is about to be made.

    Attributes:
        operation: `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
        value: The object as it would be; None for a deletion.
        old: The object as it is; None for a creation.
    """

    operation: str
    resource: Resource
    subresource: str
    namespace: str
    name: str
    value: Object | None
    old: Object | None
    asker: Asker

    @property
    def request(self) -> Object:
        """`request` in an expression (an AdmissionRequest without its objects)."""
        resource, user = self.resource, self.asker.user
        kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
        of = {"group": resource.group, "version": resource.version, "resource": resource.plural}
        info: Object = {"username": user.name, "groups": list(user.groups)}
        asked: Object = {"kind": kind, "resource": of, "requestKind": kind, "requestResource": of}
        if user.uid:
            info["uid"] = user.uid
        if self.subresource:
            asked["subResource"] = asked["requestSubResource"] = self.subresource
        if self.namespace:
            asked["namespace"] = self.namespace
        asked |= {"name": self.name, "operation": self.operation, "userInfo": info}
        return asked | {"dryRun": self.asker.dry_run}
