"""The objects: in memory to read, in SQLite so that a restart loses nothing, with a history for watches."""

import copy
import json
import sqlite3
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.status import Object, conflict

_HISTORY = 4096
"""Changes that a watch can still be started from; etcd's watch cache is bounded likewise."""

Key = tuple[str, str]


@dataclass(frozen=True)
class Change:
    """One change of one object.

    Attributes:
        version: The resource version it made.
        kind: `ADDED`, `MODIFIED` or `DELETED`.
        resource: Its plural.
        value: The object after the change; of a deletion the last one, with the new resource version.
        before: The object before the change.
    """

    version: int
    kind: str
    resource: str
    value: Object
    before: Object | None


Listener = Callable[[Change], None]


class Store:
    """All objects by resource, namespace and name. What it returns must not be changed: copy first.

    Args:
        path: The SQLite file.
    """

    def __init__(self, path: Path) -> None:
        self._objects: dict[str, dict[Key, Object]] = {}
        self._history: deque[Change] = deque(maxlen=_HISTORY)
        self._listeners: list[Listener] = []
        self._database = sqlite3.connect(path, isolation_level=None)
        # A killed process loses nothing with this; only a machine that loses power could.
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=OFF")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS objects (resource TEXT, namespace TEXT, name TEXT, value TEXT,"
            " PRIMARY KEY (resource, namespace, name))"
        )
        self._database.execute("CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT)")
        self.version = int(self.fact("version") or 1)
        self._oldest = self.version
        for resource, namespace, name, value in self._database.execute("SELECT * FROM objects"):
            self._objects.setdefault(resource, {})[namespace, name] = json.loads(value)

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    def fact(self, name: str) -> str | None:
        """A fact kept beside the objects, such as the port."""
        row = self._database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def keep_fact(self, name: str, value: str) -> None:
        """Keeps a fact."""
        self._database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """The object, or None."""
        return self._objects.get(resource.plural, {}).get((namespace, name))

    def objects(self, resource: Resource, namespace: str = "") -> list[Object]:
        """The objects of a namespace, or of all, ordered by namespace and name as in etcd."""
        objects = self._objects.get(resource.plural, {})
        return [objects[key] for key in sorted(objects) if not namespace or key[0] == namespace]

    def create(self, resource: Resource, value: Object) -> Object:
        """Adds an object whose name is free."""
        return self._write("ADDED", resource, value, None)

    def update(self, resource: Resource, value: Object) -> Object:
        """Replaces an object. Writing what is already there changes nothing, not even the version.

        Raises:
            ApiError: 409 when the object has another resource version than the one written.
        """
        before = self._objects[resource.plural][_key(value)]
        if value == before:
            return before
        if value["metadata"].get("resourceVersion") != before["metadata"]["resourceVersion"]:
            raise conflict(resource, value["metadata"]["name"])
        return self._write("MODIFIED", resource, value, before)

    def change(self, resource: Resource, value: Object, edit: Callable[[Object], None]) -> Object:
        """Edits a copy of the object as it is now and writes it; an object that has gone is left alone."""
        current = self._objects.get(resource.plural, {}).get(_key(value))
        if current is None or current["metadata"]["uid"] != value["metadata"]["uid"]:
            return value
        edited = copy.deepcopy(current)
        edit(edited)
        return self.update(resource, edited)

    def delete(self, resource: Resource, value: Object) -> Object:
        """Removes an object and returns its last state."""
        before = self._objects[resource.plural].pop(_key(value))
        self._database.execute(
            "DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?",
            (resource.plural, *_key(before)),
        )
        gone = self._versioned(before)
        self._tell(Change(self.version, "DELETED", resource.plural, gone, before))
        return gone

    def _write(self, kind: str, resource: Resource, value: Object, before: Object | None) -> Object:
        written = self._versioned(value)
        self._objects.setdefault(resource.plural, {})[_key(written)] = written
        self._database.execute(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)",
            (resource.plural, *_key(written), json.dumps(written, separators=(",", ":"))),
        )
        self._tell(Change(self.version, kind, resource.plural, written, before))
        return written

    def _versioned(self, value: Object) -> Object:
        self.version += 1
        self.keep_fact("version", str(self.version))
        metadata = value["metadata"] | {"resourceVersion": str(self.version)}
        return copy.deepcopy(value | {"metadata": metadata})

    def _tell(self, change: Change) -> None:
        if len(self._history) == _HISTORY:
            self._oldest = self._history[0].version
        self._history.append(change)
        for listener in list(self._listeners):
            listener(change)

    def since(self, version: int) -> list[Change] | None:
        """The changes after a resource version, or None when they are no longer known."""
        if version < self._oldest:
            return None
        return [change for change in self._history if change.version > version]

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Calls the listener with every change from now on. Returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)


def _key(value: Object) -> Key:
    metadata = value["metadata"]
    return metadata.get("namespace", ""), metadata["name"]
