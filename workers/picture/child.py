"""The process in which a picture is painted: a chart as JSON on standard input, a PNG on standard output.

Its numbers come from packets, whose senders may be hostile, and a painter is a large library in C. Its parent
is `workers.picture.picture`.
"""

import argparse
import json
import sys

from PIL import Image

from workers.picture.chart import Chart
from workers.picture.plot import drawing
from workers.picture.png import png
from workers.summary.confine import confine


def main() -> int:
    """Paints; 0 when the picture was written."""
    parser = argparse.ArgumentParser(prog="python -m workers.picture.child")
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--memory", type=int, required=True)
    arguments = parser.parse_args()
    # Pillow loads the code of its formats when a picture is saved, and may then not be readable any more.
    Image.preinit()
    confine(seconds=arguments.seconds, memory=arguments.memory)
    chart = Chart.from_json(json.load(sys.stdin.buffer))
    sys.stdout.buffer.write(png(drawing(chart)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
