"""What a pod's spec may hold, in the words of Kubernetes' validation."""

import re

from deploy.lab.apiserver import names, quantity
from deploy.lab.apiserver.status import (
    FieldError,
    Object,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

_PORTS = range(1, 65536)
_LARGEST = 2**31 - 1
_ENV_NAME = re.compile(r"[^=]+")
_UPDATABLE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_POLICIES = {
    "restartPolicy": ("Always", "OnFailure", "Never"),
    "dnsPolicy": ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"),
}


def pod_spec(spec: Object, at: str = "spec") -> list[FieldError]:
    """Errors of a pod's or a pod template's spec."""
    volumes, errors = _volumes(spec.get("volumes", []), f"{at}.volumes")
    seen: set[str] = set()
    for kind in ("initContainers", "containers"):
        if kind == "containers" and not spec.get(kind):
            errors.append(required(f"{at}.{kind}"))
        for n, container in enumerate(spec.get(kind, [])):
            errors += _container(container, f"{at}.{kind}[{n}]", volumes, spec)
            if container.get("name") and container["name"] in seen:
                errors.append(duplicate(f"{at}.{kind}[{n}].name", container["name"]))
            seen.add(container.get("name", ""))
    for field, words in _POLICIES.items():
        if spec.get(field) not in words:
            errors.append(not_supported(f"{at}.{field}", spec.get(field, ""), words))
    return errors + _limits(spec, at) + _host(spec, at)


def _limits(spec: Object, at: str) -> list[FieldError]:
    errors = []
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= _LARGEST:
        why = f"must be between 1 and {_LARGEST}, inclusive"
        errors.append(invalid_value(f"{at}.activeDeadlineSeconds", deadline, why))
    if (grace := spec.get("terminationGracePeriodSeconds", 0)) < 0:
        errors.append(
            invalid_value(f"{at}.terminationGracePeriodSeconds", grace, "must be greater than or equal to 0")
        )
    return errors


def _host(spec: Object, at: str) -> list[FieldError]:
    errors = []
    if spec.get("nodeName"):
        errors += names.subdomain(f"{at}.nodeName", spec["nodeName"])
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        why = "ShareProcessNamespace and HostPID cannot both be enabled"
        errors.append(invalid_value(f"{at}.securityContext.shareProcessNamespace", True, why))
    return errors + _seccomp(spec.get("securityContext", {}), f"{at}.securityContext")


def _volumes(volumes: list[Object], at: str) -> tuple[set[str], list[FieldError]]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for n, volume in enumerate(volumes):
        name = volume.get("name", "")
        if not name:
            errors.append(required(f"{at}[{n}].name"))
        elif name in seen:
            errors.append(duplicate(f"{at}[{n}].name", name))
        else:
            errors += names.label(f"{at}[{n}].name", name)
        seen.add(name)
        kinds = sorted(set(volume) - {"name"})
        errors += [
            forbidden_field(f"{at}[{n}].{kind}", "may not specify more than 1 volume type")
            for kind in kinds[1:]
        ]
        if "emptyDir" in volume:
            errors += _size_limit(volume["emptyDir"], f"{at}[{n}].emptyDir")
        if "hostPath" in volume and not volume["hostPath"].get("path"):
            errors.append(required(f"{at}[{n}].hostPath.path"))
    return seen, errors


def _size_limit(empty_dir: Object, at: str) -> list[FieldError]:
    limit = empty_dir.get("sizeLimit")
    if limit is not None and quantity.parse(limit) < 0:
        return [
            forbidden_field(f"{at}.sizeLimit", "SizeLimit field must be a valid resource quantity"),
        ]
    return []


def _container(container: Object, at: str, volumes: set[str], spec: Object) -> list[FieldError]:
    errors = []
    if not container.get("name"):
        errors.append(required(f"{at}.name"))
    else:
        errors += names.label(f"{at}.name", container["name"])
    if not container.get("image"):
        errors.append(required(f"{at}.image"))
    elif container["image"] != container["image"].strip():
        errors.append(
            invalid_value(f"{at}.image", container["image"], "must not have leading or trailing whitespace")
        )
    policy, policies = container.get("imagePullPolicy"), ("Always", "IfNotPresent", "Never")
    if policy not in policies:
        errors.append(not_supported(f"{at}.imagePullPolicy", policy, policies))
    errors += _ports(container.get("ports", []), f"{at}.ports", bool(spec.get("hostNetwork")))
    errors += _env(container.get("env", []), f"{at}.env")
    errors += _mounts(container.get("volumeMounts", []), f"{at}.volumeMounts", volumes)
    errors += _resources(container.get("resources", {}), f"{at}.resources")
    return errors + _security(container.get("securityContext", {}), f"{at}.securityContext")


def _ports(ports: list[Object], at: str, host_network: bool) -> list[FieldError]:
    errors = []
    for n, port in enumerate(ports):
        number = port.get("containerPort", 0)
        if number == 0:
            errors.append(required(f"{at}[{n}].containerPort"))
        elif number not in _PORTS:
            why = "must be between 1 and 65535, inclusive"
            errors.append(invalid_value(f"{at}[{n}].containerPort", number, why))
        elif host_network and port.get("hostPort") != number:
            why = "must match `containerPort` when `hostNetwork` is true"
            errors.append(invalid_value(f"{at}[{n}].hostPort", port.get("hostPort", 0), why))
        protocols = ("SCTP", "TCP", "UDP")
        if port.get("protocol") not in protocols:
            errors.append(not_supported(f"{at}[{n}].protocol", port.get("protocol"), protocols))
    return errors


def _env(variables: list[Object], at: str) -> list[FieldError]:
    errors = []
    for n, variable in enumerate(variables):
        if not variable.get("name"):
            errors.append(required(f"{at}[{n}].name"))
        elif not _ENV_NAME.fullmatch(variable["name"]):
            why = (
                "a valid environment variable name must consist only of printable ASCII characters other "
                "than '='"
            )
            errors.append(invalid_value(f"{at}[{n}].name", variable["name"], why))
        if variable.get("value") and variable.get("valueFrom"):
            why = "may not be specified when `value` is not empty"
            errors.append(invalid_value(f"{at}[{n}].valueFrom", "", why))
    return errors


def _mounts(mounts: list[Object], at: str, volumes: set[str]) -> list[FieldError]:
    errors = []
    seen: set[str] = set()
    for n, mount in enumerate(mounts):
        name, path = mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            errors.append(required(f"{at}[{n}].name"))
        elif name not in volumes:
            errors.append(FieldError("FieldValueNotFound", f"{at}[{n}].name", f'Not found: "{name}"'))
        if not path:
            errors.append(required(f"{at}[{n}].mountPath"))
        elif path in seen:
            errors.append(invalid_value(f"{at}[{n}].mountPath", path, "must be unique"))
        seen.add(path)
    return errors


def _resources(resources: Object, at: str) -> list[FieldError]:
    errors = []
    limits = resources.get("limits", {})
    for kind in ("limits", "requests"):
        errors += [
            invalid_value(f"{at}.{kind}.{name}", amount, "must be greater than or equal to 0")
            for name, amount in resources.get(kind, {}).items()
            if quantity.parse(amount) < 0
        ]
    for name, amount in resources.get("requests", {}).items():
        if name in limits and quantity.parse(amount) > quantity.parse(limits[name]):
            why = f"must be less than or equal to {name} limit of {limits[name]}"
            errors.append(invalid_value(f"{at}.requests", amount, why))
    return errors


def _security(context: Object, at: str) -> list[FieldError]:
    errors = _seccomp(context, at)
    if context.get("allowPrivilegeEscalation") is False:
        wrong = []
        if context.get("privileged"):
            wrong.append("`privileged` to true")
        if "CAP_SYS_ADMIN" in context.get("capabilities", {}).get("add", []):
            wrong.append("`capabilities.Add` CAP_SYS_ADMIN")
        errors += [
            invalid_value(at, "", f"cannot set `allowPrivilegeEscalation` to false and {what}")
            for what in wrong
        ]
    for field in ("runAsUser", "runAsGroup"):
        if not 0 <= context.get(field, 0) <= _LARGEST:
            why = f"must be between 0 and {_LARGEST}, inclusive"
            errors.append(invalid_value(f"{at}.{field}", context[field], why))
    return errors


def _seccomp(context: Object, at: str) -> list[FieldError]:
    profile = context.get("seccompProfile")
    if profile is None:
        return []
    kinds = ("Localhost", "RuntimeDefault", "Unconfined")
    if not profile.get("type"):
        return [required(f"{at}.seccompProfile.type", "type is required when seccompProfile is set")]
    if profile["type"] not in kinds:
        return [not_supported(f"{at}.seccompProfile.type", profile["type"], kinds)]
    return []


def pod_update(new: Object, old: Object) -> list[FieldError]:
    """Errors of a change to a pod: nearly all of its spec stays as it was created."""
    if _fixed(new) == _fixed(old) and _only_added(new, old):
        return []
    return [forbidden_field("spec", _UPDATABLE)]


def _fixed(spec: Object) -> Object:
    changeable = {"activeDeadlineSeconds", "tolerations"}
    fixed = {key: value for key, value in spec.items() if key not in changeable}
    for kind in ("containers", "initContainers"):
        if kind in fixed:
            fixed[kind] = [{**container, "image": "", "imagePullPolicy": ""} for container in fixed[kind]]
    return fixed


def _only_added(new: Object, old: Object) -> bool:
    before = old.get("tolerations", [])
    return bool(new.get("tolerations", [])[: len(before)] == before)
