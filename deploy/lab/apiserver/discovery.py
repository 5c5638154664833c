"""Discovery: which groups, versions and resources there are, and the server's version."""

import hashlib

from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.resources import RESOURCES
from deploy.lab.apiserver.status import Object

VERSION: Object = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.2",
    "gitCommit": "$Format:%H$",
    "gitTreeState": "",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "go1.26.6",
    "compiler": "gc",
    "platform": "linux/amd64",
}
"""As recorded: clients decide by it what they may ask for."""

_CONNECTED = {"exec": "PodExecOptions", "token": "TokenRequest", "scale": "Scale"}
_KIND_GROUPS = {"token": ("authentication.k8s.io", "v1"), "scale": ("autoscaling", "v1")}


def document(path: str, address: str) -> Object | None:
    """What is served at a path outside the resources, or None.

    Args:
        path: Of the request.
        address: Host and port the client used.
    """
    fixed: dict[str, Object] = {
        "/api": _api(address),
        "/apis": _groups(),
        "/version": VERSION,
        "/openapi/v3": _openapi_index(),
    }
    plain = path.rstrip("/")
    if plain in fixed:
        return fixed[plain]
    if plain.startswith("/openapi/v3/"):
        return _openapi(plain.removeprefix("/openapi/v3/"))
    prefix, _, rest = plain[1:].partition("/")
    if prefix == "apis" and "/" not in rest:
        return _group_alone(rest)
    return resources(rest) if prefix in {"api", "apis"} else None


def _api(address: str) -> Object:
    """`/api`."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def _groups() -> Object:
    """`/apis`."""
    names = sorted({r.group for r in RESOURCES if r.group})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name) for name in names]}


def _group_alone(name: str) -> Object | None:
    """`/apis/NAME`."""
    if not any(r.group == name for r in RESOURCES if r.group):
        return None
    return {"kind": "APIGroup", "apiVersion": "v1"} | _group(name)


def _group(name: str) -> Object:
    version = {"groupVersion": f"{name}/v1", "version": "v1"}
    return {"name": name, "versions": [version], "preferredVersion": version}


def resources(group_version: str) -> Object | None:
    """`/api/v1`, `/apis/GROUP/VERSION`."""
    served = [r for r in RESOURCES if r.group_version == group_version]
    if not served:
        return None
    entries = [entry for resource in served for entry in _entries(resource)]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": sorted(entries, key=lambda entry: str(entry["name"])),
    }


def _entries(resource: Resource) -> list[Object]:
    whole: Object = {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short:
        whole["shortNames"] = list(resource.short)
    if resource.categories:
        whole["categories"] = list(resource.categories)
    parts = [_subresource(resource, name, verbs) for name, verbs in resource.subresources.items()]
    return [whole, *parts]


def _subresource(resource: Resource, name: str, verbs: tuple[str, ...]) -> Object:
    entry: Object = {
        "name": f"{resource.plural}/{name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": _CONNECTED.get(name, resource.kind),
        "verbs": list(verbs),
    }
    if name in _KIND_GROUPS:
        entry["group"], entry["version"] = _KIND_GROUPS[name]
    return entry


def _openapi_index() -> Object:
    """`/openapi/v3`: where each group's description is."""
    return {
        "paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={_hash(path)}"} for path in _paths()}
    }


def _paths() -> list[str]:
    versions = sorted({r.group_version for r in RESOURCES})
    return [f"apis/{version}" if "/" in version else f"api/{version}" for version in versions]


def _hash(path: str) -> str:
    return hashlib.sha256(path.encode()).hexdigest()[:32].upper()


def _openapi(path: str) -> Object | None:
    """`/openapi/v3/PATH`: the operations and their field validation, which is what kubectl looks for here.

    The kinds' fields are not described: `kubectl explain` finds none.
    """
    if path not in _paths():
        return None
    version = path.partition("/")[2]
    served = [r for r in RESOURCES if r.group_version == version and r.stored]
    operations = {
        f"/{path}{'/namespaces/{namespace}' if r.namespaced else ''}/{r.plural}/{{name}}": _operations(r)
        for r in served
    }
    return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.36.2"}, "paths": operations}


def _operations(resource: Resource) -> Object:
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    parameters = [
        {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
        for name in ("dryRun", "fieldManager", "fieldValidation")
    ]
    operation = {"parameters": parameters, "x-kubernetes-group-version-kind": kind, "responses": {}}
    return {
        "patch": operation | {"x-kubernetes-action": "patch"},
        "put": operation | {"x-kubernetes-action": "put"},
    }
