"""A drawing as an SVG element within an HTML page, whose colours the page may change. Pure."""

from html import escape

from workers.picture.shapes import OKABE_ITO, Area, Drawing, Line, Point, Shape

COLOURS = ";".join(f"--{role}:{colour}" for role, colour in OKABE_ITO.items())
"""The colours as custom properties of CSS, one for each role."""


def svg(drawing: Drawing, label: str) -> str:
    """The element.

    Args:
        drawing: What is drawn.
        label: What it shows, in words: for who hears it.
    """
    shapes = "".join(map(_painted, drawing.shapes))
    return (
        f'<svg viewBox="0 0 {drawing.width} {drawing.height}" role="img" aria-label="{escape(label)}">'
        f"{shapes}</svg>"
    )


def _painted(shape: Shape) -> str:
    colour = f"var(--{shape.role})"
    if isinstance(shape, Area):
        return f'<path fill="{colour}" d="M{_points(shape.points)}z"/>'
    if isinstance(shape, Line):
        points, width = _points(shape.points), f'stroke-width="{shape.width:g}"'
        return f'<path fill="none" stroke="{colour}" {width} d="M{points}"/>'
    (x, y), size = shape.at, f'font-size="{shape.size:g}"'
    anchor = f'text-anchor="{shape.anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {size} {anchor} fill="{colour}">{escape(shape.text)}</text>'


def _points(points: tuple[Point, ...]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
