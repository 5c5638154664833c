"""Strategic merge patch: lists of objects merge by a key, as Kubernetes' API types declare it."""

import copy
from typing import Any

from deploy.lab.apiserver.schema import element_of, fields_of, is_model
from deploy.lab.apiserver.status import bad_request

Object = dict[str, Any]

MERGE_KEYS: dict[tuple[str, str], str] = {
    ("V1PodSpec", "containers"): "name",
    ("V1PodSpec", "initContainers"): "name",
    ("V1PodSpec", "ephemeralContainers"): "name",
    ("V1PodSpec", "volumes"): "name",
    ("V1PodSpec", "imagePullSecrets"): "name",
    ("V1PodSpec", "hostAliases"): "ip",
    ("V1PodSpec", "topologySpreadConstraints"): "topologyKey",
    ("V1Container", "ports"): "containerPort",
    ("V1Container", "env"): "name",
    ("V1Container", "volumeMounts"): "mountPath",
    ("V1Container", "volumeDevices"): "devicePath",
    ("V1PodStatus", "conditions"): "type",
    ("V1PodStatus", "podIPs"): "ip",
    ("V1PodStatus", "hostIPs"): "ip",
    ("V1ServiceSpec", "ports"): "port",
    ("V1ServiceStatus", "conditions"): "type",
    ("V1ServiceAccount", "secrets"): "name",
    ("V1ServiceAccount", "imagePullSecrets"): "name",
    ("V1NodeStatus", "conditions"): "type",
    ("V1NodeStatus", "addresses"): "type",
    ("V1DeploymentStatus", "conditions"): "type",
    ("V1ReplicaSetStatus", "conditions"): "type",
    ("V1StatefulSetStatus", "conditions"): "type",
    ("V1DaemonSetStatus", "conditions"): "type",
    ("V1NamespaceStatus", "conditions"): "type",
    ("V1ObjectMeta", "ownerReferences"): "uid",
}
"""Lists that merge by a key (`patchMergeKey` in the API types). Every other list of objects is replaced."""

_MERGED_WORDS = frozenset({("V1ObjectMeta", "finalizers"), ("V1NodeSpec", "podCIDRs")})
"""Lists of words that merge as sets."""


def strategic_merge(model: str, target: Object, patch: Object) -> Object:
    """The target with the patch applied, directives included.

    Known are `$patch`, `$retainKeys`, `$setElementOrder/FIELD` and `$deleteFromPrimitiveList/FIELD`.

    Args:
        model: What both are, such as `V1Service`; empty for what has no description.
        target: Left as it is.
        patch: Likewise.

    Raises:
        ApiError: 400 when the patch lacks a merge key or gives an unknown directive.
    """
    directive = patch.get("$patch")
    if directive not in {None, "merge", "replace", "delete"}:
        raise bad_request(f"Unknown patch type found: {directive}")
    fields = {key: value for key, value in patch.items() if not key.startswith("$")}
    if directive == "replace":
        return copy.deepcopy(fields)
    if directive == "delete":
        return {}
    kinds = fields_of(model) if model else {}
    result = _without(target, patch)
    for key, value in fields.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(model, key, kinds.get(key, ""), result.get(key), value)
    for key, order in patch.items():
        if key.startswith("$setElementOrder/"):
            name = key.partition("/")[2]
            result[name] = _ordered(result.get(name, []), order, MERGE_KEYS.get((model, name)))
    return result


def _without(target: Object, patch: Object) -> Object:
    """What the directives of a patch leave of the target."""
    kept = patch.get("$retainKeys")
    result = {key: value for key, value in target.items() if kept is None or key in kept}
    for key, removed in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            result[name] = [item for item in result.get(name, []) if item not in removed]
    return result


def _merged(model: str, key: str, kind: str, old: Any, new: Any) -> Any:
    if isinstance(new, dict):
        inner = kind if is_model(kind) else ""
        return strategic_merge(inner, old if isinstance(old, dict) else {}, new)
    if isinstance(new, list) and isinstance(old, list):
        if merge_key := MERGE_KEYS.get((model, key)):
            return _merged_list(element_of(kind) or "", merge_key, old, new)
        if (model, key) in _MERGED_WORDS:
            return old + [item for item in new if item not in old]
    if isinstance(new, list):
        return [item for item in copy.deepcopy(new) if not (isinstance(item, dict) and "$patch" in item)]
    return new


def _merged_list(model: str, merge_key: str, old: list[Object], new: list[Object]) -> list[Object]:
    if any(item.get("$patch") == "replace" for item in new):
        return [copy.deepcopy(item) for item in new if "$patch" not in item]
    result = list(old)
    for item in new:
        if merge_key not in item:
            raise bad_request(f"map: {item} does not contain declared merge key: {merge_key}")
        places = [n for n, known in enumerate(result) if known.get(merge_key) == item[merge_key]]
        if item.get("$patch") == "delete":
            result = [known for known in result if known.get(merge_key) != item[merge_key]]
        elif places:
            result[places[0]] = strategic_merge(model, result[places[0]], item)
        else:
            result.append(strategic_merge(model, {}, item))
    return result


def _ordered(items: list[Any], order: list[Any], merge_key: str | None) -> list[Any]:
    def name(item: Any) -> Any:
        return item.get(merge_key) if merge_key and isinstance(item, dict) else item

    places = {name(entry): n for n, entry in enumerate(order)}
    return sorted(items, key=lambda item: places.get(name(item), len(places)))
