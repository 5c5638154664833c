"""What a drawing consists of, whoever paints it. Pure.

Lengths are pixels of the picture, from its left upper corner.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Role = Literal[
    "ink",
    "soft",
    "grid",
    "paper",
    "client",
    "server",
    "other",
    "cross",
    "diamond",
    "ring",
    "square",
    "triangle",
]
"""What a shape is for; its painter chooses the colour."""

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Area:
    """A filled polygon."""

    role: Role
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points; a closed one comes back to its first."""

    role: Role
    points: tuple[Point, ...]
    width: float = 2.0


@dataclass(frozen=True, slots=True)
class Text:
    """Text on a line: `at` is on its baseline, at its start, middle or end."""

    role: Role
    at: Point
    text: str
    size: float
    anchor: Literal["start", "middle", "end"] = "start"


Shape: TypeAlias = Area | Line | Text

OKABE_ITO: dict[Role, str] = {
    "ink": "#1a1a1a",
    "soft": "#555555",
    "grid": "#dddddd",
    "paper": "#ffffff",
    "client": "#0072b2",
    "server": "#e69f00",
    "other": "#999999",
    "cross": "#d55e00",
    "diamond": "#cc79a7",
    "ring": "#1a1a1a",
    "square": "#009e73",
    "triangle": "#d55e00",
}
"""On a light ground: those of Okabe and Ito (jfly.uni-koeln.de/color), told apart with any colour vision."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Shapes on a ground of `paper`, the later ones above."""

    width: int
    height: int
    shapes: tuple[Shape, ...]
