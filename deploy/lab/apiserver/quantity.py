"""Kubernetes quantities such as `64Mi` and `100m`, read exactly."""

import re
from decimal import Decimal

_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d+))?")
_SUFFIXES = {
    **{
        suffix: Decimal(10) ** (3 * n)
        for suffix, n in zip("numkMGTPE", (-3, -2, -1, 1, 2, 3, 4, 5, 6), strict=True)
    },
    **{f"{suffix}i": Decimal(1024) ** n for n, suffix in enumerate("KMGTPE", start=1)},
}
FORM = r"quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
"""What Kubernetes says about a quantity it cannot read."""


def parse(text: str) -> Decimal:
    """The number a quantity stands for: `64Mi` is 67108864, `100m` is 0.1.

    Raises:
        ValueError: It is none.
    """
    found = _FORM.fullmatch(text)
    if not found:
        raise ValueError(FORM)
    number = Decimal(found[1])
    if found[3]:
        return number * Decimal(10) ** int(found[3])
    return number * _SUFFIXES.get(found[2] or "", Decimal(1))
