"""`metadata.managedFields`: who set which field last. Pure.

Tracked is what clients write. Controllers and kubelets of the lab write without a name.
"""

from collections.abc import Iterable
from typing import Any

from deploy.lab.apiserver import times
from deploy.lab.apiserver.attributes import Asker
from deploy.lab.apiserver.field_paths import Leaves, Path, leaves
from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.status import Object

Entry = dict[str, Any]


def paths_of(entry: Entry) -> set[Path]:
    """The fields of an entry."""
    return set(_paths(entry.get("fieldsV1", {}), ()))


def _paths(fields: Object, at: Path) -> Iterable[Path]:
    for part, inner in fields.items():
        if inner:
            yield from _paths(inner, (*at, part))
        else:
            yield (*at, part)


def with_paths(entry: Entry, paths: set[Path]) -> Entry:
    """The entry with other fields; its time stays when they are the same."""
    if paths_of(entry) == paths and "time" in entry:
        return entry
    fields: Object = {}
    for path in sorted(paths):
        inner = fields
        for part in path:
            inner = inner.setdefault(part, {})
    return entry | {"time": times.now(), "fieldsType": "FieldsV1", "fieldsV1": fields}


def new_entry(manager: str, operation: str, version: str, subresource: str = "") -> Entry:
    """An entry that has no fields yet."""
    entry = {"manager": manager, "operation": operation, "apiVersion": version}
    return entry | ({"subresource": subresource} if subresource else {})


def same(one: Entry, other: Entry) -> bool:
    """Whether two entries are of the same manager, doing the same."""
    keys = ("manager", "operation", "apiVersion", "subresource")
    return all(one.get(key) == other.get(key) for key in keys)


def updated(
    resource: Resource, manager: str, new: Object, old: Object | None, entries: list[Entry], subresource: str
) -> list[Entry]:
    """The entries after a create or an update by a manager.

    Args:
        resource: What the objects are.
        manager: Who writes.
        new: The object as it is written.
        old: As it was; None when it is new.
        entries: As they were.
        subresource: What was written; empty for the object itself.
    """
    after, before = _owned(resource, new, subresource), _owned(resource, old or {}, subresource)
    written = {path for path, value in after.items() if path not in before or before[path] != value}
    lost = written | (set(before) - set(after))
    mine = new_entry(manager, "Update", resource.group_version, subresource)
    kept = []
    for entry in entries:
        if same(entry, mine):
            mine = entry
        elif paths := paths_of(entry) - lost:
            kept.append(with_paths(entry, paths))
    own = (paths_of(mine) - lost) | written
    return [*kept, with_paths(mine, own)] if own else kept


def _owned(resource: Resource, value: Object, subresource: str) -> Leaves:
    """What is written at once: the status apart from everything else."""
    if subresource == "status":
        value = {"status": value.get("status", {})}
    elif resource.has_status:
        value = {key: part for key, part in value.items() if key != "status"}
    return leaves(resource.model, value)


def track(resource: Resource, new: Object, old: Object | None, asker: Asker, subresource: str = "") -> None:
    """Gives a written object its `managedFields`. Changes it.

    A client may hand in entries of its own, or empty ones to begin anew.
    """
    metadata = new["metadata"]
    given = metadata.pop("managedFields", None)
    entries = [] if old is None else old["metadata"].get("managedFields", [])
    if asker.entries is not None:
        entries = asker.entries
    elif given in ([], [{}]):
        entries = []
    elif asker.manager:
        known = entries if given is None else given
        entries = updated(resource, asker.manager, new, old, known, subresource)
    if entries:
        metadata["managedFields"] = entries
