"""What a request asks for, read from its method and path (Kubernetes' `RequestInfo`)."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploy.lab.apiserver.selectors import sole_name

_VERBS = {
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
    "GET": "get",
    "HEAD": "get",
}


@dataclass(frozen=True)
class RequestInfo:
    """A request in the terms of RBAC.

    Attributes:
        verb: `get`, `list`, `watch`, `create`, …; for a path outside the API the lower-case HTTP method.
        resource: Plural; empty for a path outside the API.
        namespace: Empty for a request across namespaces or about a cluster-wide resource.
        name: Also set for a list or watch whose field selector admits one name only.
    """

    verb: str
    path: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""

    @property
    def is_resource(self) -> bool:
        """Whether RBAC decides by resource rather than by path."""
        return bool(self.resource)


def parse(method: str, path: str, query: Mapping[str, str]) -> RequestInfo:
    """Reads a request. Never fails: what is not a path of the API is a non-resource request."""
    parts = [part for part in path.split("/") if part]
    outside = RequestInfo(method.lower(), path)
    if parts[:1] == ["api"]:
        group, rest = "", parts[1:]
    elif parts[:1] == ["apis"] and len(parts) > 1:
        group, rest = parts[1], parts[2:]
    else:
        return outside
    if len(rest) < 2:  # noqa: PLR2004 - a version and at least a resource
        return outside
    version, rest = rest[0], rest[1:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        # /namespaces/NAME and its subresources are about the namespace itself.
        if len(rest) > 2 and rest[2] not in {"status", "finalize"}:  # noqa: PLR2004 - something inside it
            rest = rest[2:]
    resource, name, subresource = (*rest, "", "")[:3]
    return RequestInfo(
        verb=_verb(method, name, query),
        path=path,
        group=group,
        version=version,
        resource=resource,
        subresource=subresource,
        namespace=namespace,
        name=name or sole_name(query.get("fieldSelector", "")),
    )


def _verb(method: str, name: str, query: Mapping[str, str]) -> str:
    verb = _VERBS.get(method, method.lower())
    if verb == "get" and not name:
        return "watch" if query.get("watch", "").lower() in {"1", "true"} else "list"
    if verb == "delete" and not name:
        return "deletecollection"
    return verb
