"""Lists in pages: `limit` and `continue`."""

import base64
import json
from dataclasses import dataclass

from deploy.lab.apiserver.status import Object, bad_request


@dataclass(frozen=True)
class Page:
    """Some of the objects of a list and the list's metadata."""

    items: list[Object]
    metadata: Object


def page(
    objects: list[Object], version: int, limit: int, continuation: str, *, selected: bool, namespaced: bool
) -> Page:
    """The objects of one page.

    Args:
        objects: What the list holds, ordered by namespace and name.
        version: The store's resource version.
        limit: At most that many; 0 for all.
        continuation: The `continue` of the page before, or empty.
        selected: Whether a selector is in force: then how many remain is not said, as in the real one.
        namespaced: Whether the list is of one namespace: then the token holds names only.

    Raises:
        ApiError: 400 for a token that is none.
    """
    if continuation:
        version, start = _read(continuation)
        objects = [one for one in objects if _key(one, namespaced) >= start]
    metadata: Object = {"resourceVersion": str(version)}
    if not limit or len(objects) <= limit:
        return Page(objects, metadata)
    metadata["continue"] = _token(version, _key(objects[limit - 1], namespaced) + "\0")
    if not selected:
        metadata["remainingItemCount"] = len(objects) - limit
    return Page(objects[:limit], metadata)


def _key(item: Object, namespaced: bool) -> str:
    metadata = item["metadata"]
    namespace = metadata.get("namespace")
    name = str(metadata["name"])
    return f"{namespace}/{name}" if namespace and not namespaced else name


def _token(version: int, start: str) -> str:
    token = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(token.encode()).rstrip(b"=").decode()


def _read(token: str) -> tuple[int, str]:
    try:
        value = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return int(value["rv"]), str(value["start"])
    except (ValueError, KeyError, TypeError) as error:
        raise bad_request(f"continue key is not valid: {error}") from None
