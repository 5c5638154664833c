"""The images this node has: those that were made when the lab started, and those put beside them later."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Image:
    """An image on the node.

    Attributes:
        name: With its tag, such as `cheddar:lab`.
        id: `sha256:` and 64 hexadecimal digits.
        rootfs: Its files, read-only.
        command: What a container runs that names no command.
        env: `NAME=VALUE` each.
    """

    name: str
    id: str
    rootfs: Path
    command: tuple[str, ...]
    env: tuple[str, ...]


class ImageStore:
    """The images below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._images: dict[str, Image] = {}
        self._look()

    def get(self, name: str) -> Image | None:
        """The image of that name, or None: nothing can be pulled in the lab."""
        if name not in self._images:
            self._look()
        return self._images.get(name)

    def _look(self) -> None:
        self._images = {image.name: image for image in map(_load, sorted(self._folder.glob("*/image.json")))}


def _load(path: Path) -> Image:
    image = json.loads(path.read_text())
    return Image(
        image["name"], image["id"], path.parent / "rootfs", tuple(image["command"]), tuple(image["env"])
    )
