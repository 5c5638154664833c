"""Which frame of the merged file a tap's packet is: one pass over the file's own numbering."""

from collections.abc import Mapping
from pathlib import Path

from workers.pcapng.own_file import OwnFile


def merged_frames(path: Path, wanted: Mapping[int, set[int]]) -> dict[tuple[int, int], int]:
    """Where frames of taps are in their merged file.

    Args:
        path: A file of `workers.pcapng.merge`.
        wanted: By interface, the numbers of frames in that tap's own file, from 1.

    Returns:
        The frame in the merged file, by interface and own number.

    Raises:
        OwnFileError: It is no such file.
        OSError: It cannot be read.
    """
    found: dict[tuple[int, int], int] = {}
    counts: dict[int, int] = {}
    with path.open("rb", buffering=0) as source:
        for frame, (number, *_) in enumerate(OwnFile(source).packets(), 1):
            own = counts[number] = counts.get(number, 0) + 1
            if own in wanted.get(number, ()):
                found[number, own] = frame
    return found
