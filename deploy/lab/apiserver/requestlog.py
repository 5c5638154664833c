"""A line of JSON for every request: who asked for what and what the answer was."""

import json
import time
from pathlib import Path

from deploy.lab.apiserver.requestinfo import RequestInfo


class RequestLog:
    """Appends to `requests.jsonl`.

    Each line has `time` (Unix seconds), `user`, `verb`, `group`, `resource`, `subresource`, `namespace`,
    `name`, `path` and `code`. A watch, a followed log and an exec are written when they end.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1, encoding="utf-8")

    def write(self, user: str, info: RequestInfo, code: int) -> None:
        """Writes one line."""
        line = {
            "time": round(time.time(), 6),
            "user": user,
            "verb": info.verb,
            "group": info.group,
            "resource": info.resource,
            "subresource": info.subresource,
            "namespace": info.namespace,
            "name": info.name,
            "path": info.path,
            "code": code,
        }
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
