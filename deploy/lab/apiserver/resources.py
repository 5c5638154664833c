"""The resources this API server serves, and the verbs of each. What is not in this table is not served."""

from deploy.lab.apiserver.resource import SCALABLE, STATUS, STORED_ONE_BY_ONE, Resource

_APPS = "apps"
_RBAC = "rbac.authorization.k8s.io"
_AUTHORIZATION = "authorization.k8s.io"
_AUTHENTICATION = "authentication.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"
_BATCH = "batch"
_NETWORKING = "networking.k8s.io"

RESOURCES: tuple[Resource, ...] = (
    Resource("configmaps", "ConfigMap", "V1ConfigMap", short=("cm",)),
    Resource("events", "Event", "CoreV1Event", short=("ev",)),
    Resource("limitranges", "LimitRange", "V1LimitRange", short=("limits",)),
    Resource(
        "namespaces",
        "Namespace",
        "V1Namespace",
        namespaced=False,
        verbs=STORED_ONE_BY_ONE,
        subresources={"status": STATUS},
        short=("ns",),
        returned=True,
    ),
    Resource("nodes", "Node", "V1Node", namespaced=False, subresources={"status": STATUS}, short=("no",)),
    Resource(
        "persistentvolumeclaims",
        "PersistentVolumeClaim",
        "V1PersistentVolumeClaim",
        subresources={"status": STATUS},
        short=("pvc",),
        returned=True,
    ),
    Resource(
        "pods",
        "Pod",
        "V1Pod",
        subresources={"exec": ("create", "get"), "log": ("get",), "status": STATUS},
        short=("po",),
        categories=("all",),
        generation=True,
        returned=True,
    ),
    Resource(
        "resourcequotas",
        "ResourceQuota",
        "V1ResourceQuota",
        subresources={"status": STATUS},
        short=("quota",),
        returned=True,
    ),
    Resource("secrets", "Secret", "V1Secret"),
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
        verbs=STORED_ONE_BY_ONE,
        subresources={"status": STATUS},
        short=("svc",),
        categories=("all",),
        returned=True,
    ),
    Resource(
        "daemonsets",
        "DaemonSet",
        "V1DaemonSet",
        group=_APPS,
        subresources={"status": STATUS},
        short=("ds",),
        categories=("all",),
        generation=True,
    ),
    Resource(
        "deployments",
        "Deployment",
        "V1Deployment",
        group=_APPS,
        subresources=SCALABLE,
        short=("deploy",),
        categories=("all",),
        generation=True,
    ),
    Resource(
        "replicasets",
        "ReplicaSet",
        "V1ReplicaSet",
        group=_APPS,
        subresources=SCALABLE,
        short=("rs",),
        categories=("all",),
        generation=True,
    ),
    Resource(
        "statefulsets",
        "StatefulSet",
        "V1StatefulSet",
        group=_APPS,
        subresources=SCALABLE,
        short=("sts",),
        categories=("all",),
        generation=True,
    ),
    Resource("events", "Event", "EventsV1Event", group="events.k8s.io", short=("ev",)),
    Resource(
        "jobs",
        "Job",
        "V1Job",
        group=_BATCH,
        subresources={"status": STATUS},
        categories=("all",),
        generation=True,
    ),
    Resource(
        "cronjobs",
        "CronJob",
        "V1CronJob",
        group=_BATCH,
        subresources={"status": STATUS},
        short=("cj",),
        categories=("all",),
        generation=True,
    ),
    Resource(
        "validatingadmissionpolicies",
        "ValidatingAdmissionPolicy",
        "V1ValidatingAdmissionPolicy",
        group=_ADMISSION,
        namespaced=False,
        subresources={"status": STATUS},
        categories=("api-extensions",),
        generation=True,
    ),
    Resource(
        "validatingadmissionpolicybindings",
        "ValidatingAdmissionPolicyBinding",
        "V1ValidatingAdmissionPolicyBinding",
        group=_ADMISSION,
        namespaced=False,
        categories=("api-extensions",),
        generation=True,
    ),
    Resource(
        "ingresses",
        "Ingress",
        "V1Ingress",
        group=_NETWORKING,
        subresources={"status": STATUS},
        short=("ing",),
        generation=True,
    ),
    Resource(
        "networkpolicies",
        "NetworkPolicy",
        "V1NetworkPolicy",
        group=_NETWORKING,
        short=("netpol",),
        generation=True,
    ),
    Resource(
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        "V1PodDisruptionBudget",
        group="policy",
        subresources={"status": STATUS},
        short=("pdb",),
        generation=True,
    ),
    Resource(
        "priorityclasses",
        "PriorityClass",
        "V1PriorityClass",
        group="scheduling.k8s.io",
        namespaced=False,
        short=("pc",),
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
        "localsubjectaccessreviews",
        "LocalSubjectAccessReview",
        "V1LocalSubjectAccessReview",
        group=_AUTHORIZATION,
        verbs=("create",),
    ),
    Resource(
        "selfsubjectrulesreviews",
        "SelfSubjectRulesReview",
        "V1SelfSubjectRulesReview",
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
NEWER_EVENTS = named("events", "events.k8s.io")
"""The same objects as EVENTS, in another form."""
KEPT = tuple(one for one in RESOURCES if one.stored and one is not NEWER_EVENTS)
"""What there are objects of, each once."""
SERVICEACCOUNTS = named("serviceaccounts")
CONFIGMAPS = named("configmaps")
SECRETS = named("secrets")
CLAIMS = named("persistentvolumeclaims")
QUOTAS = named("resourcequotas")
LIMITRANGES = named("limitranges")
JOBS = named("jobs", _BATCH)
POLICIES = named("validatingadmissionpolicies", _ADMISSION)
POLICYBINDINGS = named("validatingadmissionpolicybindings", _ADMISSION)
PRIORITYCLASSES = named("priorityclasses", "scheduling.k8s.io")
DEPLOYMENTS = named("deployments", _APPS)
REPLICASETS = named("replicasets", _APPS)
STATEFULSETS = named("statefulsets", _APPS)
DAEMONSETS = named("daemonsets", _APPS)
ENDPOINTSLICES = named("endpointslices", "discovery.k8s.io")
ROLES = named("roles", _RBAC)
ROLEBINDINGS = named("rolebindings", _RBAC)
CLUSTERROLES = named("clusterroles", _RBAC)
CLUSTERROLEBINDINGS = named("clusterrolebindings", _RBAC)
