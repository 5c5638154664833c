"""Server-side apply: an object is what its managers say together. Pure."""

import copy
import json
from dataclasses import dataclass
from typing import Any

from deploy.lab.apiserver.field_paths import SELF, Path, is_set, is_whole, item_part, keys_of, leaves, words
from deploy.lab.apiserver.managed_fields import Entry, new_entry, paths_of, same, with_paths
from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.schema import element_of, fields_of, is_model
from deploy.lab.apiserver.status import ApiError, Object


@dataclass(frozen=True)
class Applied:
    """The object after an apply, and who now owns what."""

    value: Object
    entries: list[Entry]


def applied(resource: Resource, manager: str, config: Object, live: Object | None, *, force: bool) -> Applied:
    """Merges what a manager wants into the object as it is.

    Fields it wanted before and no longer wants go, unless another manager owns them.

    Args:
        resource: What the object is.
        manager: Who applies.
        config: What it wants: only the fields it cares for.
        live: The object as it is; None when it is to be made.
        force: Take fields that others own instead of refusing.

    Raises:
        ApiError: 409, others own fields and want them otherwise.
    """
    mine = new_entry(manager, "Apply", resource.group_version)
    entries = [] if live is None else live["metadata"].get("managedFields", [])
    before = next((paths_of(entry) for entry in entries if same(entry, mine)), set())
    others = [entry for entry in entries if not same(entry, mine)]
    wanted = leaves(resource.model, config)
    is_now = {} if live is None else leaves(resource.model, live)
    changed = {path for path, value in wanted.items() if path in is_now and is_now[path] != value}
    contested = [(entry, paths_of(entry) & changed) for entry in others]
    contested = [(entry, paths) for entry, paths in contested if paths]
    if contested and not force:
        raise _conflict(contested)
    kept = [with_paths(entry, left) for entry in others if (left := paths_of(entry) - changed)]
    value = _merged(resource.model, live or {}, config)
    owned = {path for entry in kept for path in paths_of(entry)} | set(wanted)
    for path in sorted(before - owned, key=len, reverse=True):
        _remove(resource.model, value, path, owned)
    old = next((entry for entry in entries if same(entry, mine)), mine)
    return Applied(value, [*kept, with_paths(old, set(wanted))])


def _conflict(contested: list[tuple[Entry, set[Path]]]) -> ApiError:
    pairs = [(_manager(entry), words(path)) for entry, paths in contested for path in sorted(paths)]
    if len(pairs) == 1:
        text = f"1 conflict: conflict with {pairs[0][0]}: {pairs[0][1]}"
    else:
        listed = [
            f"conflicts with {name}:\n" + "\n".join(f"- {path}" for of, path in pairs if of == name)
            for name in dict.fromkeys(name for name, _ in pairs)
        ]
        text = f"{len(pairs)} conflicts: " + "\n".join(listed)
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {name}", "field": path}
        for name, path in pairs
    ]
    return ApiError(409, "Conflict", f"Apply failed with {text}", {"causes": causes})


def _manager(entry: Entry) -> str:
    name = json.dumps(entry["manager"])
    if entry.get("subresource"):
        name += f" with subresource {json.dumps(entry['subresource'])}"
    return f"{name} using {entry['apiVersion']}" if entry["operation"] == "Update" else name


def _merged(model: str, old: Object, new: Object) -> Object:
    kinds = fields_of(model) if model else {}
    result = copy.deepcopy(old)
    for name, value in new.items():
        kind, was = kinds.get(name, ""), result.get(name)
        if isinstance(value, dict) and isinstance(was, dict) and not is_whole(model, name, kind):
            result[name] = _merged(kind if is_model(kind) else "", was, value)
        elif isinstance(value, list) and isinstance(was, list) and keys_of(model, name):
            result[name] = _merged_items(model, name, was, value)
        elif isinstance(value, list) and isinstance(was, list) and is_set(model, name):
            result[name] = was + [word for word in value if word not in was]
        else:
            result[name] = copy.deepcopy(value)
    return result


def _merged_items(model: str, name: str, old: list[Object], new: list[Object]) -> list[Object]:
    inner = element_of(fields_of(model)[name]) or ""
    known = {item_part(model, name, item): item for item in old}
    wanted = {item_part(model, name, item): item for item in new}
    merged = [_merged(inner, known.get(part, {}), item) for part, item in wanted.items()]
    return merged + [item for part, item in known.items() if part not in wanted]


def _remove(model: str, value: Object, path: Path, owned: set[Path]) -> None:
    """Takes a field out; an item of a list goes only when nobody owns anything in it. Changes the object."""
    holder: Any = value
    for n, part in enumerate(path[:-1]):
        name = part.partition(":")[2]
        if part.startswith("f:") and path[n + 1][:2] in {"k:", "v:"}:
            _remove_item(model, holder, name, path[: n + 2], path[n + 2 :], owned)
            return
        holder = holder.get(name) if isinstance(holder, dict) else None
        if holder is None:
            return
        kind = fields_of(model).get(name, "") if model else ""
        model = kind if is_model(kind) else ""
    if isinstance(holder, dict):
        holder.pop(path[-1].partition(":")[2], None)


def _remove_item(model: str, holder: Object, name: str, at: Path, rest: Path, owned: set[Path]) -> None:
    items = holder.get(name, [])
    if at[-1].startswith("v:"):
        holder[name] = [word for word in items if f"v:{json.dumps(word)}" != at[-1]]
        return
    found = next((item for item in items if item_part(model, name, item) == at[-1]), None)
    if found is None:
        return
    if rest == (SELF,):
        if not any(path[: len(at)] == at for path in owned):
            items.remove(found)
        return
    inner = element_of(fields_of(model)[name]) or ""
    if rest[0].partition(":")[2] not in keys_of(model, name):
        _remove(inner, found, rest, {path[len(at) :] for path in owned if path[: len(at)] == at})
