"""What the packets of one direction have in common: addresses and ports, as they stand in the packet. Pure.

Source and target address, of 4 or 16 bytes each, then source and target port.
"""

from workers.summary.endpoint import Endpoint


def reverse(key: bytes) -> bytes:
    """The key of the other direction."""
    ports = len(key) - 4
    half = ports // 2
    return key[half:ports] + key[:half] + key[ports + 2 :] + key[ports : ports + 2]


def endpoints(key: bytes) -> tuple[Endpoint, Endpoint]:
    """Source and target of a key."""
    ports = len(key) - 4
    half = ports // 2
    source, target = key[ports : ports + 2], key[ports + 2 :]
    return (
        Endpoint.packed(key[:half], int.from_bytes(source, "big")),
        Endpoint.packed(key[half:ports], int.from_bytes(target, "big")),
    )
