"""Kubernetes' quantities of bytes: `64Mi`, `1G`, `1500000`."""

import re

_FACTORS = {
    "": 1,
    **{prefix: 1000**power for power, prefix in enumerate("kMGTPE", 1)},
    **{f"{prefix}i": 1024**power for power, prefix in enumerate("KMGTPE", 1)},
}
_QUANTITY = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)(?P<suffix>[kMGTPE]|[KMGTPE]i|)")


def parse_bytes(quantity: str | int) -> int:
    """The number of bytes, rounded up.

    Raises:
        ValueError: It is no quantity of bytes.
    """
    match = _QUANTITY.fullmatch(str(quantity))
    if match is None:
        raise ValueError(f"not a quantity of bytes: {quantity!r}")
    return -int(-float(match["number"]) * _FACTORS[match["suffix"]] // 1)
