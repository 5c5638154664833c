"""Pod Security admission: the standards `baseline` and `restricted`, with the real one's sentences.

Checked is what a pod of this lab can ask for: host namespaces, privilege, capabilities, hostPath and other
volume types, host ports, seccomp, users.
"""

from collections.abc import Callable

from deploy.lab.apiserver.status import Object

ENFORCE = "pod-security.kubernetes.io/enforce"
_BASELINE_CAPABILITIES = frozenset(
    {"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"}
    | {"SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"}
)
_RESTRICTED_VOLUMES = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim"}
    | {"projected", "secret"}
)


def violations(namespace: Object, pod: Object) -> str:
    """What an `enforce` label of the namespace has against the pod; empty when nothing."""
    labels = namespace["metadata"].get("labels") or {}
    level = labels.get(ENFORCE, "privileged")
    version = labels.get(f"{ENFORCE}-version", "latest")
    checks = _LEVELS.get(level, ())
    found = [text for text in (check(pod["spec"]) for check in checks) if text]
    return f'violates PodSecurity "{level}:{version}": {", ".join(found)}' if found else ""


def _containers(spec: Object) -> list[Object]:
    return [
        *spec.get("initContainers", []),
        *spec.get("containers", []),
        *spec.get("ephemeralContainers", []),
    ]


def _context(container: Object) -> Object:
    context: Object = container.get("securityContext") or {}
    return context


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _blamed(containers: list[Object], must: str) -> str:
    word = "container" if len(containers) == 1 else "containers"
    return f"{word} {_quoted([one['name'] for one in containers])} {must}"


def _host_namespaces(spec: Object) -> str:
    asked = [f"{name}=true" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    return f"host namespaces ({', '.join(asked)})" if asked else ""


def _privileged(spec: Object) -> str:
    bad = [one for one in _containers(spec) if _context(one).get("privileged")]
    return f"privileged ({_blamed(bad, 'must not set securityContext.privileged=true')})" if bad else ""


def _added(container: Object) -> list[str]:
    return list(_context(container).get("capabilities", {}).get("add", []))


def _capabilities_baseline(spec: Object) -> str:
    bad = [one for one in _containers(spec) if set(_added(one)) - _BASELINE_CAPABILITIES]
    if not bad:
        return ""
    names = sorted({name for one in bad for name in _added(one)} - _BASELINE_CAPABILITIES)
    must = f"must not include {_quoted(names)} in securityContext.capabilities.add"
    return f"non-default capabilities ({_blamed(bad, must)})"


def _capabilities_restricted(spec: Object) -> str:
    undropped = [
        one for one in _containers(spec) if "ALL" not in _context(one).get("capabilities", {}).get("drop", [])
    ]
    adding = [one for one in _containers(spec) if set(_added(one)) - {"NET_BIND_SERVICE"}]
    texts = []
    if undropped:
        texts.append(_blamed(undropped, 'must set securityContext.capabilities.drop=["ALL"]'))
    if adding:
        names = sorted({name for one in adding for name in _added(one)} - {"NET_BIND_SERVICE"})
        must = f"must not include {_quoted(names)} in securityContext.capabilities.add"
        texts.append(_blamed(adding, must))
    return f"unrestricted capabilities ({'; '.join(texts)})" if texts else ""


def _host_path(spec: Object) -> str:
    names = [volume["name"] for volume in spec.get("volumes", []) if "hostPath" in volume]
    word = "volume" if len(names) == 1 else "volumes"
    return f"hostPath volumes ({word} {_quoted(names)})" if names else ""


def _volume_types(spec: Object) -> str:
    bad = {
        volume["name"]: next(iter(set(volume) - {"name"}))
        for volume in spec.get("volumes", [])
        if set(volume) - {"name"} - _RESTRICTED_VOLUMES
    }
    if not bad:
        return ""
    word = "volume" if len(bad) == 1 else "volumes"
    kinds = sorted(set(bad.values()))
    uses = "uses restricted volume type" if len(bad) == 1 else "use restricted volume types"
    uses = uses if len(kinds) > 1 or len(bad) == 1 else "use restricted volume type"
    return f"restricted volume types ({word} {_quoted(list(bad))} {uses} {_quoted(kinds)})"


def _host_ports(spec: Object) -> str:
    bad = [one for one in _containers(spec) if _ports(one)]
    if not bad:
        return ""
    ports = sorted({port for one in bad for port in _ports(one)})
    uses = "uses" if len(bad) == 1 else "use"
    word = "hostPort" if len(ports) == 1 else "hostPorts"
    must = f"{uses} {word} {', '.join(map(str, ports))}"
    return f"hostPort ({_blamed(bad, must)})"


def _ports(container: Object) -> list[int]:
    return [port["hostPort"] for port in container.get("ports", []) if port.get("hostPort")]


def _unconfined(spec: Object) -> str:
    bad = [one for one in _containers(spec) if _seccomp(one) == "Unconfined"]
    parts = []
    must = 'must not set securityContext.seccompProfile.type to "Unconfined"'
    if _seccomp(spec) == "Unconfined":
        parts.append(f"pod {must}")
    if bad:
        parts.append(_blamed(bad, must))
    return f"seccompProfile ({' and '.join(parts)})" if parts else ""


def _seccomp(holder: Object) -> str:
    return str(_context(holder).get("seccompProfile", {}).get("type", ""))


def _escalation(spec: Object) -> str:
    bad = [one for one in _containers(spec) if _context(one).get("allowPrivilegeEscalation") is not False]
    must = "must set securityContext.allowPrivilegeEscalation=false"
    return f"allowPrivilegeEscalation != false ({_blamed(bad, must)})" if bad else ""


def _non_root(spec: Object) -> str:
    pod_says = _context(spec).get("runAsNonRoot")
    wrong = [one for one in _containers(spec) if _context(one).get("runAsNonRoot", pod_says) is not True]
    must = "must set securityContext.runAsNonRoot=true"
    return f"runAsNonRoot != true (pod or {_blamed(wrong, must)})" if wrong else ""


def _as_root(spec: Object) -> str:
    parts = ["pod must not set runAsUser=0"] if _context(spec).get("runAsUser") == 0 else []
    bad = [one for one in _containers(spec) if _context(one).get("runAsUser") == 0]
    if bad:
        parts.append(_blamed(bad, "must not set runAsUser=0"))
    return f"runAsUser=0 ({' and '.join(parts)})" if parts else ""


def _seccomp_restricted(spec: Object) -> str:
    good = {"RuntimeDefault", "Localhost"}
    bad = [one for one in _containers(spec) if (_seccomp(one) or _seccomp(spec)) not in good]
    must = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return f"seccompProfile (pod or {_blamed(bad, must)})" if bad else ""


_Check = Callable[[Object], str]
_LEVELS: dict[str, tuple[_Check, ...]] = {
    "baseline": (
        _capabilities_baseline,
        _host_namespaces,
        _host_path,
        _host_ports,
        _privileged,
        _unconfined,
    ),
    # Checks of `restricted` that are stricter take the place of their `baseline` twins.
    "restricted": (
        _host_namespaces,
        _host_ports,
        _privileged,
        _escalation,
        _capabilities_restricted,
        _volume_types,
        _non_root,
        _as_root,
        _seccomp_restricted,
    ),
}
