"""A drawing as a PNG, painted by Pillow with the font that it brings."""

import io

from PIL import Image, ImageDraw, ImageFont

from workers.picture.shapes import OKABE_ITO, Area, Drawing, Line, Shape

_FINER = 2
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}
_COLOURS = 128


def png(drawing: Drawing) -> bytes:
    """The picture, of the drawing's width and height.

    Pillow's lines and areas have jagged edges: it is painted in double size and made smaller.
    """
    size = (drawing.width * _FINER, drawing.height * _FINER)
    image = Image.new("RGB", size, OKABE_ITO["paper"])
    canvas = ImageDraw.Draw(image)
    for shape in drawing.shapes:
        _paint(canvas, shape)
    output = io.BytesIO()
    image.reduce(_FINER).quantize(_COLOURS).save(output, "PNG", optimize=True)
    return output.getvalue()


def _paint(canvas: ImageDraw.ImageDraw, shape: Shape) -> None:
    colour = OKABE_ITO[shape.role]
    if isinstance(shape, Area):
        canvas.polygon([(x * _FINER, y * _FINER) for x, y in shape.points], fill=colour)
    elif isinstance(shape, Line):
        points = [(x * _FINER, y * _FINER) for x, y in shape.points]
        canvas.line(points, fill=colour, width=round(shape.width * _FINER), joint="curve")
    else:
        x, y = shape.at
        font = ImageFont.load_default(shape.size * _FINER)
        at = (x * _FINER, y * _FINER)
        canvas.text(at, shape.text, fill=colour, font=font, anchor=_ANCHORS[shape.anchor])
