"""One end of a flow. Pure."""

import socket
from functools import lru_cache
from typing import NamedTuple


class Endpoint(NamedTuple):
    """An address as inet_ntop(3) writes it, and a port."""

    address: str
    port: int

    def __str__(self) -> str:
        """`10.244.2.2:80`, `[2001:db8::1]:80`."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> "Endpoint":
        """The endpoint that `str` wrote."""
        address, _, port = text.rpartition(":")
        return cls(address.strip("[]"), int(port))

    @classmethod
    def packed(cls, address: bytes, port: int) -> "Endpoint":
        """From an address of 4 or 16 bytes."""
        return cls(_text(address), port)


@lru_cache(maxsize=1 << 14)
def _text(address: bytes) -> str:
    family = socket.AF_INET if len(address) == 4 else socket.AF_INET6  # noqa: PLR2004, bytes of IPv4
    return socket.inet_ntop(family, address)
