"""What the kinds that bound others may hold: quotas, limit ranges, claims, budgets, priority classes.

Quotas and priority classes have effect (`quota`, `admission`); limit ranges and budgets are stored only: no
pod gets a default from the one, and nothing evicts pods that the other could protect.
"""

import re
from typing import Any

from deploy.lab.apiserver import quantity
from deploy.lab.apiserver.selector_validation import label_selector
from deploy.lab.apiserver.status import (
    FieldError,
    Object,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

_ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_VOLUME_MODES = ("Block", "Filesystem")
_HIGHEST_PRIORITY = 1_000_000_000
_PREEMPTION = ("Never", "PreemptLowerPriority")
_LIMITED = ("Container", "PersistentVolumeClaim", "Pod")


def resource_quota(value: Object) -> list[FieldError]:
    """Errors of a ResourceQuota."""
    return _amounts(value.get("spec", {}).get("hard", {}), "spec.hard")


def _amounts(amounts: Object, at: str) -> list[FieldError]:
    return [
        invalid_value(f"{at}[{name}]", amount, "must be greater than or equal to 0")
        for name, amount in amounts.items()
        if quantity.parse(amount) < 0
    ]


def limit_range(value: Object) -> list[FieldError]:
    """Errors of a LimitRange."""
    errors: list[FieldError] = []
    seen: set[str] = set()
    for n, item in enumerate(value["spec"].get("limits", [])):
        at, kind = f"spec.limits[{n}]", item.get("type", "")
        if kind not in _LIMITED and "/" not in kind:
            errors.append(not_supported(f"{at}.type", kind, _LIMITED))
        if kind in seen:
            why = f'Duplicate value: "{kind}"'
            errors.append(FieldError("FieldValueDuplicate", f"{at}.type", why))
        seen.add(kind)
        if kind == "Pod":
            errors += [
                forbidden_field(f"{at}.{field}", "may not be specified when `type` is 'Pod'")
                for field in ("default", "defaultRequest")
                if field in item
            ]
        errors += _ordered(item, at)
    return errors


def _ordered(item: Object, at: str) -> list[FieldError]:
    """`min` <= `defaultRequest` <= `default` <= `max`, each where it is given."""
    steps = ("min", "defaultRequest", "default", "max")
    errors = []
    for low, high in ((low, high) for n, low in enumerate(steps) for high in steps[n + 1 :]):
        for name, amount in item.get(low, {}).items():
            bound = item.get(high, {}).get(name)
            if bound is not None and quantity.parse(amount) > quantity.parse(bound):
                why = f"{low} value {amount} is greater than {high} value {bound}"
                errors.append(invalid_value(f"{at}.{low}[{name}]", amount, why))
    return errors


def claim(value: Object) -> list[FieldError]:
    """Errors of a PersistentVolumeClaim."""
    spec = value["spec"]
    modes = spec.get("accessModes", [])
    errors = label_selector(spec.get("selector"), "spec.selector")
    if not modes:
        errors.append(required("spec.accessModes", "at least 1 access mode is required"))
    errors += [
        not_supported("spec.accessModes", mode, _ACCESS_MODES) for mode in modes if mode not in _ACCESS_MODES
    ]
    storage = spec.get("resources", {}).get("requests", {}).get("storage")
    if storage is None:
        errors.append(required("spec.resources[storage]"))
    elif quantity.parse(storage) <= 0:
        errors.append(invalid_value("spec.resources[storage]", storage, "must be greater than zero"))
    if spec["volumeMode"] not in _VOLUME_MODES:
        errors.append(not_supported("spec.volumeMode", spec["volumeMode"], _VOLUME_MODES))
    return errors


def claim_update(new: Object, old: Object) -> list[FieldError]:
    """Errors of a change to a PersistentVolumeClaim."""
    changeable = {"resources", "volumeName", "volumeAttributesClassName"}
    fixed = [{k: v for k, v in one["spec"].items() if k not in changeable} for one in (new, old)]
    if fixed[0] == fixed[1]:
        return []
    why = (
        "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound "
        "claims"
    )
    return [forbidden_field("spec", why)]


def disruption_budget(value: Object) -> list[FieldError]:
    """Errors of a PodDisruptionBudget."""
    spec = value.get("spec", {})
    errors = label_selector(spec.get("selector"), "spec.selector")
    if "minAvailable" in spec and "maxUnavailable" in spec:
        why = "minAvailable and maxUnavailable cannot be both set"
        errors.append(invalid_value("spec", "", why))
    for field in ("minAvailable", "maxUnavailable"):
        errors += _count_or_share(spec.get(field), f"spec.{field}")
    return errors


def _count_or_share(value: Any, at: str) -> list[FieldError]:
    if isinstance(value, str) and not re.fullmatch(r"([0-9]|[1-9][0-9]|100)%", value):
        why = (
            "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%'"
        )
        return [invalid_value(at, value, f"{why}, regex used for validation is '[0-9]+%')")]
    if isinstance(value, int) and value < 0:
        return [invalid_value(at, value, "must be greater than or equal to 0")]
    return []


def priority_class(value: Object) -> list[FieldError]:
    """Errors of a PriorityClass."""
    name, priority = value["metadata"].get("name", ""), value.get("value", 0)
    errors = []
    if name.startswith("system-") and name not in {"system-cluster-critical", "system-node-critical"}:
        why = "priority class names with 'system-' prefix are reserved for system use only"
        errors.append(forbidden_field("metadata.name", why))
    elif not name.startswith("system-") and priority > _HIGHEST_PRIORITY:
        why = f"maximum allowed value of a user defined priority is {_HIGHEST_PRIORITY}"
        errors.append(forbidden_field("value", why))
    if value["preemptionPolicy"] not in _PREEMPTION:
        errors.append(not_supported("preemptionPolicy", value["preemptionPolicy"], _PREEMPTION))
    return errors


def priority_class_update(new: Object, old: Object) -> list[FieldError]:
    """Errors of a change to a PriorityClass."""
    if new.get("value", 0) == old.get("value", 0):
        return []
    return [forbidden_field("value", "may not be changed in an update.")]
