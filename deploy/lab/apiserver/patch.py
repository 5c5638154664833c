"""JSON patch (RFC 6902) and JSON merge patch (RFC 7386), pure."""

import copy
from typing import Any

from deploy.lab.apiserver.status import ApiError, bad_request


def merge_patch(target: Any, patch: Any) -> Any:
    """The target with a merge patch applied: null removes, objects merge, everything else replaces."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def json_patch(target: Any, operations: Any) -> Any:
    """The target with a JSON patch applied.

    Raises:
        ApiError: 400 for a patch that is none, 422 for one that does not fit the object.
    """
    if not isinstance(operations, list) or not all(isinstance(one, dict) for one in operations):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch"
        )
    document = copy.deepcopy(target)
    for operation in operations:
        try:
            document = _apply(document, operation)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise ApiError(
                422, "Invalid", f"the server rejected our request due to an error in our request: {error}", {}
            ) from None
    return document


def _apply(document: Any, operation: dict[str, Any]) -> Any:
    kind, path = operation["op"], _pointer(operation["path"])
    if kind == "test":
        if _read(document, path) != operation.get("value"):
            raise ValueError(f"testing value {operation['path']} failed")
        return document
    if kind == "remove":
        return _remove(document, path)
    if kind == "add":
        return _add(document, path, copy.deepcopy(operation["value"]))
    if kind == "replace":
        _read(document, path)
        return (
            _add(_remove(document, path), path, copy.deepcopy(operation["value"]))
            if path
            else operation["value"]
        )
    if kind in {"move", "copy"}:
        source = _pointer(operation["from"])
        value = copy.deepcopy(_read(document, source))
        return _add(_remove(document, source) if kind == "move" else document, path, value)
    raise ValueError(f"Unexpected kind: {kind}")


def _pointer(text: str) -> list[str]:
    if text and not text.startswith("/"):
        raise ValueError(f"invalid JSON pointer: {text}")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _read(document: Any, path: list[str]) -> Any:
    for part in path:
        document = document[_index(document, part)] if isinstance(document, list) else document[part]
    return document


def _index(items: list[Any], part: str) -> int:
    index = len(items) if part == "-" else int(part)
    if not 0 <= index <= len(items):
        raise IndexError(f"Unable to access invalid index: {part}")
    return index


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent = _read(document, path[:-1])
    if isinstance(parent, list):
        parent.insert(_index(parent, path[-1]), value)
    else:
        parent[path[-1]] = value
    return document


def _remove(document: Any, path: list[str]) -> Any:
    if not path:
        return None
    parent = _read(document, path[:-1])
    if isinstance(parent, list):
        del parent[_index(parent, path[-1])]
    else:
        del parent[path[-1]]
    return document
