"""The resources this API server serves, and the verbs of each. What is not in this table is not served."""

from dataclasses import dataclass, field

_READ = ("get", "list", "watch")
_WRITE = ("create", "delete", "patch", "update")
_STORED = tuple(sorted((*_READ, *_WRITE, "deletecollection")))
_STORED_ONE_BY_ONE = tuple(sorted((*_READ, *_WRITE)))
_STATUS = ("get", "patch", "update")
_SCALABLE: dict[str, tuple[str, ...]] = {"scale": _STATUS, "status": _STATUS}


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
    verbs: tuple[str, ...] = _STORED
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


_APPS = "apps"
_RBAC = "rbac.authorization.k8s.io"
_AUTHORIZATION = "authorization.k8s.io"
_AUTHENTICATION = "authentication.k8s.io"

RESOURCES: tuple[Resource, ...] = (
    Resource("configmaps", "ConfigMap", "V1ConfigMap", short=("cm",)),
    Resource("events", "Event", "CoreV1Event", short=("ev",)),
    Resource(
        "namespaces",
        "Namespace",
        "V1Namespace",
        namespaced=False,
        verbs=_STORED_ONE_BY_ONE,
        subresources={"status": _STATUS},
        short=("ns",),
        returned=True,
    ),
    Resource("nodes", "Node", "V1Node", namespaced=False, subresources={"status": _STATUS}, short=("no",)),
    Resource(
        "pods",
        "Pod",
        "V1Pod",
        subresources={"exec": ("create", "get"), "log": ("get",), "status": _STATUS},
        short=("po",),
        categories=("all",),
        generation=True,
        returned=True,
    ),
    Resource(
        "serviceaccounts",
        "ServiceAccount",
        "V1ServiceAccount",
        subresources={"token": ("create",)},
        short=("sa",),
        returned=True,
    ),
    Resource(
        "services",
        "Service",
        "V1Service",
        verbs=_STORED_ONE_BY_ONE,
        subresources={"status": _STATUS},
        short=("svc",),
        categories=("all",),
        returned=True,
    ),
    Resource(
        "daemonsets",
        "DaemonSet",
        "V1DaemonSet",
        group=_APPS,
        subresources={"status": _STATUS},
        short=("ds",),
        categories=("all",),
        generation=True,
    ),
    Resource(
        "deployments",
        "Deployment",
        "V1Deployment",
        group=_APPS,
        subresources=_SCALABLE,
        short=("deploy",),
        categories=("all",),
        generation=True,
    ),
    Resource(
        "replicasets",
        "ReplicaSet",
        "V1ReplicaSet",
        group=_APPS,
        subresources=_SCALABLE,
        short=("rs",),
        categories=("all",),
        generation=True,
    ),
    Resource(
        "statefulsets",
        "StatefulSet",
        "V1StatefulSet",
        group=_APPS,
        subresources=_SCALABLE,
        short=("sts",),
        categories=("all",),
        generation=True,
    ),
    Resource("endpointslices", "EndpointSlice", "V1EndpointSlice", group="discovery.k8s.io", generation=True),
    Resource("roles", "Role", "V1Role", group=_RBAC),
    Resource("rolebindings", "RoleBinding", "V1RoleBinding", group=_RBAC),
    Resource("clusterroles", "ClusterRole", "V1ClusterRole", group=_RBAC, namespaced=False),
    Resource(
        "clusterrolebindings", "ClusterRoleBinding", "V1ClusterRoleBinding", group=_RBAC, namespaced=False
    ),
    Resource(
        "subjectaccessreviews",
        "SubjectAccessReview",
        "V1SubjectAccessReview",
        group=_AUTHORIZATION,
        namespaced=False,
        verbs=("create",),
    ),
    Resource(
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
        "V1SelfSubjectAccessReview",
        group=_AUTHORIZATION,
        namespaced=False,
        verbs=("create",),
    ),
    Resource(
        "selfsubjectreviews",
        "SelfSubjectReview",
        "V1SelfSubjectReview",
        group=_AUTHENTICATION,
        namespaced=False,
        verbs=("create",),
    ),
)

_BY_NAME = {(r.group, r.version, r.plural): r for r in RESOURCES}
_BY_KIND = {(r.group_version, r.kind): r for r in RESOURCES}


def find(group: str, version: str, plural: str) -> Resource | None:
    """The resource of a path, if it is served."""
    return _BY_NAME.get((group, version, plural))


def of_kind(api_version: str, kind: str) -> Resource | None:
    """The resource of an object's `apiVersion` and `kind`, if it is served."""
    return _BY_KIND.get((api_version, kind))


def named(plural: str, group: str = "") -> Resource:
    """The resource of this name.

    Raises:
        KeyError: It is not served.
    """
    return _BY_NAME[group, "v1", plural]


PODS = named("pods")
SERVICES = named("services")
NODES = named("nodes")
NAMESPACES = named("namespaces")
EVENTS = named("events")
SERVICEACCOUNTS = named("serviceaccounts")
CONFIGMAPS = named("configmaps")
DEPLOYMENTS = named("deployments", _APPS)
REPLICASETS = named("replicasets", _APPS)
STATEFULSETS = named("statefulsets", _APPS)
DAEMONSETS = named("daemonsets", _APPS)
ENDPOINTSLICES = named("endpointslices", "discovery.k8s.io")
ROLES = named("roles", _RBAC)
ROLEBINDINGS = named("rolebindings", _RBAC)
CLUSTERROLES = named("clusterroles", _RBAC)
CLUSTERROLEBINDINGS = named("clusterrolebindings", _RBAC)
