"""What a kubelet is told of a pod: with the ConfigMaps and Secrets that a kubelet would fetch for it. Pure.

Variables from ConfigMaps and Secrets become plain ones. The lab's kubelet fills no volumes: a pod that mounts
a ConfigMap, Secret or claim with something in it waits and says so, rather than run without its files.
"""

import base64
import copy
from collections.abc import Callable, Iterator

from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.resources import CONFIGMAPS, SECRETS
from deploy.lab.apiserver.status import Object

Find = Callable[[Resource, str], Object | None]
"""The object of a name in the pod's namespace."""

_KINDS = (
    ("configMap", "name", CONFIGMAPS),
    ("secret", "secretName", SECRETS),
)


class MissingError(Exception):
    """Something the pod needs is not there. The message is the kubelet's.

    Attributes:
        waiting: What its containers wait with.
        event: The reason of the event.
    """

    def __init__(self, message: str, waiting: str, event: str) -> None:
        super().__init__(message)
        self.waiting = waiting
        self.event = event


def handed_over(pod: Object, find: Find) -> Object:
    """A copy of the pod with everything that it refers to.

    Raises:
        MissingError: It must wait.
    """
    given = copy.deepcopy(pod)
    for volume in given["spec"].get("volumes", []):
        _fill_volume(volume, find)
    namespace = pod["metadata"]["namespace"]
    for container in given["spec"]["containers"]:
        if {"env", "envFrom"} & set(container):
            container["env"] = [*_from_whole(container, find), *_one_by_one(container, find, namespace)]
            container.pop("envFrom", None)
    return given


def _fill_volume(volume: Object, find: Find) -> None:
    if "persistentVolumeClaim" in volume:
        raise _no_mount(volume, "the lab has no persistent volumes")
    for kind, key, resource in _KINDS:
        source = volume.pop(kind, None)
        if source is None:
            continue
        found = find(resource, source.get(key, ""))
        if found is None and not source.get("optional"):
            raise _no_mount(volume, f'{resource.kind.lower()} "{source.get(key, "")}" not found')
        if _bytes_of(found or {}, resource):
            raise _no_mount(volume, f"the lab's kubelet mounts no {resource.kind} that holds anything")
        volume["projected"] = {"sources": []}


def _no_mount(volume: Object, why: str) -> MissingError:
    message = f'MountVolume.SetUp failed for volume "{volume["name"]}" : {why}'
    return MissingError(message, "ContainerCreating", "FailedMount")


def _bytes_of(value: Object, resource: Resource) -> dict[str, str]:
    if resource is SECRETS:
        return dict(value.get("data", {}))
    texts = {key: base64.b64encode(text.encode()).decode() for key, text in value.get("data", {}).items()}
    return texts | dict(value.get("binaryData", {}))


def _from_whole(container: Object, find: Find) -> Iterator[Object]:
    for source in container.get("envFrom", []):
        for key, resource in (("configMapRef", CONFIGMAPS), ("secretRef", SECRETS)):
            if key in source:
                found = _found(resource, source[key], find)
                prefix = source.get("prefix", "")
                for name, text in _bytes_of(found or {}, resource).items():
                    yield {"name": prefix + name, "value": _text(text)}


def _one_by_one(container: Object, find: Find, namespace: str) -> Iterator[Object]:
    for variable in container.get("env", []):
        source = variable.get("valueFrom", {})
        keys = (("configMapKeyRef", CONFIGMAPS), ("secretKeyRef", SECRETS))
        key, resource = next(((key, of) for key, of in keys if key in source), ("", CONFIGMAPS))
        if not key:
            yield variable
            continue
        found = _found(resource, source[key], find)
        contents, name = _bytes_of(found or {}, resource), source[key].get("key", "")
        if name in contents:
            yield {"name": variable["name"], "value": _text(contents[name])}
        elif not source[key].get("optional"):
            where = f"{namespace}/{source[key].get('name', '')}"
            raise _no_config(f"couldn't find key {name} in {resource.kind} {where}")


def _found(resource: Resource, reference: Object, find: Find) -> Object | None:
    name = reference.get("name", "")
    found = find(resource, name)
    if found is None and not reference.get("optional"):
        raise _no_config(f'{resource.kind.lower()} "{name}" not found')
    return found


def _no_config(message: str) -> MissingError:
    return MissingError(message, "CreateContainerConfigError", "Failed")


def _text(encoded: str) -> str:
    # What is no text could be no variable.
    return base64.b64decode(encoded).decode(errors="replace")
