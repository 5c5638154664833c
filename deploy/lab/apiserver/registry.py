"""What happens to an object between a request and the store: defaults, admission, validation, versions."""

import copy
import uuid
from dataclasses import dataclass
from functools import partial

from deploy.lab.apiserver import (
    admission_policy,
    defaults,
    event_forms,
    managed_fields,
    names,
    quota,
    times,
    validation,
)
from deploy.lab.apiserver.admission import admit, check_creatable
from deploy.lab.apiserver.allocation import allocate
from deploy.lab.apiserver.attributes import Asker, Attributes
from deploy.lab.apiserver.job_selector import select_own_pods
from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.resources import JOBS, KEPT, NEWER_EVENTS, PODS, SERVICES
from deploy.lab.apiserver.status import (
    Object,
    already_exists,
    bad_request,
    conflict,
    deleted,
    invalid,
    not_found,
)
from deploy.lab.apiserver.store import Store

_TERMINAL = frozenset({"Succeeded", "Failed"})
_SERVERS_OWN = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")


@dataclass(frozen=True)
class Deletion:
    """How to delete: `DeleteOptions`.

    Attributes:
        grace_seconds: None for the pod's own.
        policy: `Background`, `Foreground` or `Orphan`.
        uid: The object must have it, unless empty.
        version: The object must have this resource version, unless empty.
        dry_run: Answer as if.
    """

    grace_seconds: int | None = None
    policy: str = "Background"
    uid: str = ""
    version: str = ""
    dry_run: bool = False


class Registry:
    """Creates, changes and deletes objects as the API server does; the controllers use it as well."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """The object.

        Raises:
            ApiError: 404.
        """
        found = self._store.get(resource, namespace, name)
        if found is None:
            raise not_found(resource, name)
        return found

    def create(self, resource: Resource, namespace: str, value: Object, asker: Asker | None = None) -> Object:
        """Adds an object. Without an asker, a controller does.

        Raises:
            ApiError: 400, 403, 404, 409 or 422.
        """
        asker = asker or Asker()
        if resource is NEWER_EVENTS:
            value = event_forms.core(value)
        check_creatable(resource, namespace, value["metadata"])
        new = copy.deepcopy(value)
        metadata = new["metadata"]
        if resource.namespaced:
            metadata["namespace"] = namespace
        else:
            metadata.pop("namespace", None)
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = names.generated(metadata["generateName"])
        if resource.has_status:
            new.pop("status", None)
        new = defaults.apply(resource, new)
        admit(self._store, resource, new)
        errors = validation.on_create(resource, new)
        name = metadata.get("name", "")
        if not errors and resource is SERVICES:
            errors = allocate(self._store, new)
        if errors:
            raise invalid(resource, name, errors)
        where = metadata.get("namespace", "")
        admission_policy.check(self._store, Attributes("CREATE", resource, "", where, name, new, None, asker))
        quota.check(self._store, resource, new)
        existing = self._store.get(resource, namespace if resource.namespaced else "", name)
        if existing is not None:
            raise already_exists(resource, name, bool(existing["metadata"].get("deletionTimestamp")))
        _stamp(resource, new)
        managed_fields.track(resource, new, None, asker)
        if resource is JOBS:
            select_own_pods(new)
        if resource.plural == "namespaces":
            new["status"] = {"phase": "Active"}
        return new if asker.dry_run else self._store.create(resource, new)

    def update(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        value: Object,
        asker: Asker | None = None,
        *,
        subresource: str = "",
    ) -> Object:
        """Replaces an object, or its status. Without an asker, a controller does.

        Raises:
            ApiError: 400, 404, 409 or 422.
        """
        asker = asker or Asker()
        if resource is NEWER_EVENTS:
            value = event_forms.core(value)
        old = self.get(resource, namespace, name)
        _check_same(resource, value, old)
        new = copy.deepcopy(value)
        if resource.has_status and subresource == "status":
            new = copy.deepcopy(old) | ({"status": new["status"]} if "status" in new else {})
        else:
            new = self._changed(resource, new, old)
        new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        managed_fields.track(resource, new, old, asker, subresource)
        admission_policy.check(
            self._store, Attributes("UPDATE", resource, subresource, namespace, name, new, old, asker)
        )
        if asker.dry_run:
            return new
        if old["metadata"].get("deletionTimestamp") and _may_go(resource, new):
            return self._store.delete(resource, new)
        return self._store.update(resource, new)

    def _changed(self, resource: Resource, new: Object, old: Object) -> Object:
        for key in _SERVERS_OWN:
            new["metadata"].pop(key, None)
            if key in old["metadata"]:
                new["metadata"][key] = copy.deepcopy(old["metadata"][key])
        if resource.namespaced:
            new["metadata"]["namespace"] = old["metadata"]["namespace"]
        if resource.has_status:
            new.pop("status", None)
            if "status" in old:
                new["status"] = copy.deepcopy(old["status"])
        if resource is SERVICES:
            _keep_allocated(new, old)
        new = defaults.apply(resource, new)
        errors = validation.on_update(resource, new, old)
        if not errors and resource is SERVICES:
            errors = allocate(self._store, new)
        if errors:
            raise invalid(resource, old["metadata"]["name"], errors)
        if resource.generation and _content(new) != _content(old):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        return new

    def delete(
        self, resource: Resource, namespace: str, name: str, how: Deletion, asker: Asker | None = None
    ) -> Object:
        """Deletes an object, or begins to. Without an asker, a controller does.

        Returns:
            The object as it now is, or a Status, as the kind has it.

        Raises:
            ApiError: 404 or 409.
        """
        old = self.get(resource, namespace, name)
        _check_preconditions(resource, old, how)
        admission_policy.check(
            self._store, Attributes("DELETE", resource, "", namespace, name, None, old, asker or Asker())
        )
        new = copy.deepcopy(old)
        metadata = new["metadata"]
        grace = _grace(new, how) if resource is PODS else 0
        # A namespace goes when its controller has emptied it; a pod when its kubelet says so.
        waits = grace > 0 or resource.plural == "namespaces"
        if how.policy == "Foreground" and resource is not PODS:
            metadata["finalizers"] = [*metadata.get("finalizers", []), "foregroundDeletion"]
        if not how.dry_run and how.policy == "Orphan":
            self._orphan(metadata["uid"])
        if not waits and not metadata.get("finalizers"):
            gone = old if how.dry_run else self._store.delete(resource, old)
            return gone if resource.returned else deleted(resource, name, metadata["uid"])
        if not self._shortens(metadata, grace):
            return old
        metadata["deletionTimestamp"] = times.now(grace)
        metadata["deletionGracePeriodSeconds"] = grace
        if resource.plural == "namespaces":
            metadata.pop("deletionGracePeriodSeconds")
            new["status"] = {"phase": "Terminating"}
        if resource.generation and "generation" in metadata:
            metadata["generation"] += 1
        return new if how.dry_run else self._store.update(resource, new)

    @staticmethod
    def _shortens(metadata: Object, grace: int) -> bool:
        before = metadata.get("deletionGracePeriodSeconds")
        return "deletionTimestamp" not in metadata or (before is not None and grace < before)

    def remove(self, resource: Resource, value: Object) -> None:
        """Takes an object away at once: what a kubelet or a controller has finished with."""
        current = self._store.get(resource, value["metadata"].get("namespace", ""), value["metadata"]["name"])
        if current is not None and current["metadata"]["uid"] == value["metadata"]["uid"]:
            self._store.delete(resource, current)

    def _orphan(self, uid: str) -> None:
        for resource in KEPT:
            for one in self._store.objects(resource):
                owners = one["metadata"].get("ownerReferences", [])
                left = [owner for owner in owners if owner["uid"] != uid]
                if len(left) < len(owners):
                    self._store.change(resource, one, partial(_set_owners, owners=left))


def _set_owners(value: Object, owners: list[Object]) -> None:
    value["metadata"].pop("ownerReferences", None)
    if owners:
        value["metadata"]["ownerReferences"] = owners


def _stamp(resource: Resource, new: Object) -> None:
    metadata = new["metadata"]
    for key in (*_SERVERS_OWN, "resourceVersion", "selfLink", "managedFields"):
        metadata.pop(key, None)
    metadata["uid"] = str(uuid.uuid4())
    metadata["creationTimestamp"] = times.now()
    if resource.generation:
        metadata["generation"] = 1
    if resource.has_status and resource is not PODS and resource is not SERVICES:
        new.setdefault("status", {})


def _check_same(resource: Resource, new: Object, old: Object) -> None:
    given, known = new["metadata"], old["metadata"]
    name = known["name"]
    if given.get("name", name) != name:
        raise bad_request(
            f"the name of the object ({given['name']}) does not match the name on the URL ({name})"
        )
    if not given.get("name"):
        raise bad_request("the name of the object (based on URL) was undeterminable: name must be provided")
    if given.get("namespace", "") not in {"", known.get("namespace", "")}:
        raise bad_request("the namespace of the object does not match the namespace on the request")
    if given.get("uid", known["uid"]) != known["uid"]:
        why = f"Precondition failed: UID in precondition: {given['uid']}, UID in object meta: {known['uid']}"
        raise conflict(resource, name, why)
    if given.get("resourceVersion", known["resourceVersion"]) != known["resourceVersion"]:
        raise conflict(resource, name)


def _check_preconditions(resource: Resource, old: Object, how: Deletion) -> None:
    for field, given, known in (
        ("UID", how.uid, old["metadata"]["uid"]),
        ("ResourceVersion", how.version, old["metadata"]["resourceVersion"]),
    ):
        if given and given != known:
            why = f"Precondition failed: {field} in precondition: {given}, {field} in object meta: {known}"
            raise conflict(resource, old["metadata"]["name"], why)


def _grace(pod: Object, how: Deletion) -> int:
    unscheduled = not pod["spec"].get("nodeName")
    if unscheduled or pod.get("status", {}).get("phase") in _TERMINAL:
        return 0
    grace = how.grace_seconds
    return max(0, int(pod["spec"]["terminationGracePeriodSeconds"] if grace is None else grace))


def _may_go(resource: Resource, new: Object) -> bool:
    metadata = new["metadata"]
    if metadata.get("finalizers") or resource.plural == "namespaces":
        return False
    return resource is not PODS or metadata.get("deletionGracePeriodSeconds") == 0


def _content(value: Object) -> Object:
    """What `metadata.generation` counts changes of."""
    if "spec" in value:
        return {"spec": value["spec"]}
    return {key: part for key, part in value.items() if key not in {"metadata", "status"}}


def _keep_allocated(new: Object, old: Object) -> None:
    """A Service that is replaced without its address and node ports keeps them."""
    spec, before = new.setdefault("spec", {}), old["spec"]
    for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if key in before:
            spec.setdefault(key, before[key])
    if spec.get("type", "ClusterIP") in {"NodePort", "LoadBalancer"}:
        ports = {(port.get("protocol", "TCP"), port["port"]): port for port in before.get("ports", [])}
        for port in spec.get("ports", []):
            known = ports.get((port.get("protocol", "TCP"), port.get("port")), {})
            if "nodePort" in known:
                port.setdefault("nodePort", known["nodePort"])
    elif before.get("type") in {"NodePort", "LoadBalancer"}:
        spec.pop("externalTrafficPolicy", None)
        for port in spec.get("ports", []):
            port.pop("nodePort", None)
