"""Watches: the changes of a list, as they happen."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable

from deploy.lab.apiserver.selectors import Matcher
from deploy.lab.apiserver.status import Object, expired
from deploy.lab.apiserver.store import Change, Store

_BOOKMARK_SECONDS = 60.0
Shape = Callable[[Object], Object]
Bookmark = Callable[[dict[str, str]], Object]
"""Makes the object of a bookmark, with these annotations."""


def seen(change: Change, matches: Matcher) -> tuple[str, Object] | None:
    """How a change looks to a watch with selectors; None for what it does not see.

    An object that begins to match is added, one that ceases to match is deleted.
    """
    before = change.before is not None and matches(change.before)
    now = change.kind != "DELETED" and matches(change.value)
    if before and now:
        return "MODIFIED", change.value
    if now:
        return "ADDED", change.value
    if before:
        return "DELETED", change.value
    return None


class Watch:
    """One watch.

    Args:
        store: What is watched.
        resource: Plural.
        matches: Which objects.
        shape: How an object is written (as itself or as a Table row).
    """

    def __init__(self, store: Store, resource: str, matches: Matcher, shape: Shape) -> None:
        self._store = store
        self._resource = resource
        self._matches = matches
        self._shape = shape
        self._changes: asyncio.Queue[Change] = asyncio.Queue()

    def backlog(self, version: str, current: list[Object]) -> list[bytes]:
        """What is sent first: the changes since a version, or everything there is when none is given.

        Raises:
            ApiError: 410 when the version is too old.
        """
        if version in {"", "0"}:
            return [self._line("ADDED", one) for one in current]
        changes = self._store.since(int(version)) if version.isdigit() else None
        if changes is None:
            raise expired(f"too old resource version: {version} ({self._store.version})")
        return [line for line in map(self._seen, changes) if line]

    async def lines(self, first: list[bytes], bookmark: Bookmark | None) -> AsyncGenerator[bytes]:
        """The lines of the answer, without end.

        Args:
            first: The backlog.
            bookmark: Makes a bookmark's object; None when the client did not allow bookmarks.
        """
        for line in first:
            yield line
        while True:
            try:
                async with asyncio.timeout(_BOOKMARK_SECONDS):
                    change = await self._changes.get()
            except TimeoutError:
                if bookmark is not None:
                    yield encoded("BOOKMARK", bookmark({}))
                continue
            if news := self._seen(change):
                yield news

    def open(self) -> Callable[[], None]:
        """Begins to listen. Returns what ends that."""
        return self._store.listen(self._changes.put_nowait)

    def _seen(self, change: Change) -> bytes | None:
        if change.resource != self._resource:
            return None
        found = seen(change, self._matches)
        return self._line(*found) if found else None

    def _line(self, kind: str, value: Object) -> bytes:
        return encoded(kind, self._shape(value))


def encoded(kind: str, value: Object) -> bytes:
    """One line of a watch."""
    return json.dumps({"type": kind, "object": value}, separators=(",", ":")).encode() + b"\n"
