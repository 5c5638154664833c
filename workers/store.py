"""Where capture files are kept: a folder, or any place fsspec knows (PODCAP_STORE_URL)."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem


class Store:
    """Capture files by name.

    Args:
        url: A folder (made when missing) or a URL such as `s3://bucket/captures`.
    """

    def __init__(self, url: str) -> None:
        self._files, self._root = fsspec.core.url_to_fs(url)
        self._url = url.rstrip("/")

    def url(self, name: str) -> str:
        """Where the file called `name` is or would be: the store's URL and the name."""
        return f"{self._url}/{name}"

    def put(self, path: Path, name: str) -> str:
        """Keeps a copy of `path` as `name`: all of it at once, as objects are, in a folder too.

        Returns:
            Its `url`.

        Raises:
            OSError: It could not be written whole; nothing under `name` is left then.
        """
        self._files.makedirs(self._root, exist_ok=True)
        target = f"{self._root}/{name}"
        # A worker that stood still may begin to write when another one's copy is there and being read.
        part = f"{self._root}/.{name}.part" if isinstance(self._files, LocalFileSystem) else target
        try:
            with path.open("rb") as source, self._files.open(part, "wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
            if part != target:
                self._files.mv(part, target)
        except OSError:
            if self._files.exists(part):
                self._files.rm(part)
            raise
        return self.url(name)

    def read(self, name: str) -> Iterator[bytes]:
        """The file called `name`, block by block.

        Raises:
            OSError: It is not there or cannot be read.
        """
        with self._files.open(f"{self._root}/{name}", "rb") as source:
            while block := source.read(1 << 20):
                yield block

    def remove(self, name: str) -> None:
        """Removes the file called `name`; harmless when it is gone.

        Raises:
            OSError: It could not be removed.
        """
        with suppress(FileNotFoundError):
            self._files.rm(f"{self._root}/{name}")

    def size(self, name: str) -> int:
        """How many bytes the file called `name` has; 0 when it is gone."""
        try:
            return int(self._files.size(f"{self._root}/{name}") or 0)
        except FileNotFoundError:
            return 0

    def names(self) -> Iterator[str]:
        """The names of all files; a store of many takes its time."""
        with suppress(FileNotFoundError):
            for path in self._files.ls(self._root, detail=False):
                yield str(path).rpartition("/")[2]

    def free_bytes(self) -> int | None:
        """What the disk of a folder has left; None where the store is no folder, or its disk does not say."""
        if not isinstance(self._files, LocalFileSystem):
            return None
        root = Path(self._root)
        there = next(path for path in (root, *root.absolute().parents) if path.exists())
        usage = shutil.disk_usage(there)
        return usage.free if usage.total else None

    def probe(self) -> None:
        """Writes a small file and removes it again.

        Raises:
            What this kind of store raises, when either cannot be done.
        """
        self._files.makedirs(self._root, exist_ok=True)
        target = f"{self._root}/.podcap-{secrets.token_hex(8)}"
        self._files.pipe_file(target, b"podcap")
        self._files.rm(target)
