"""Finds a program in a container's root as the container itself would, without leaving that root."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

_MOST_LINKS = 40


def complaint(root: Path, command: Sequence[str], path: str, directory: str) -> str | None:
    """Why a command cannot run, in runc's words, or None when it can.

    Args:
        root: The container's root as the node sees it.
        command: The command line; a program without a slash is looked for on the path.
        path: The container's PATH.
        directory: The container's working directory.
    """
    program = command[0]
    if "/" in program:
        found = resolve(root, PurePosixPath(directory) / program)
        if found is None or not found.exists():
            return f'exec: "{program}": stat {program}: no such file or directory'
        return None if _runs(found) else f'exec: "{program}": permission denied'
    for folder in path.split(":"):
        found = resolve(root, PurePosixPath(directory) / folder / program)
        if found is not None and _runs(found):
            return None
    return f'exec: "{program}": executable file not found in $PATH'


def resolve(root: Path, inside: PurePosixPath) -> Path | None:
    """The path on the node of a path in the container, every symbolic link read as the container reads it."""
    todo, links = list(reversed(inside.parts)), 0
    done: list[str] = []
    while todo:
        part = todo.pop()
        if part == "/":
            done = []
        elif part == "..":
            done = done[:-1]
        else:
            here = root.joinpath(*done, part)
            if not here.is_symlink():
                done.append(part)
                continue
            links += 1
            if links > _MOST_LINKS:
                return None
            todo += reversed(here.readlink().parts)
    return root.joinpath(*done)


def _runs(program: Path) -> bool:
    return program.is_file() and os.access(program, os.X_OK)
