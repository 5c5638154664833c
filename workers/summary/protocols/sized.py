"""What begins with its own length in four bytes: PostgreSQL or Kafka. Pure."""

from workers.summary.protocols import kafka, postgresql
from workers.summary.protocols.reader import Connection, Known, Reader, Segment


def _open(connection: Connection, segment: Segment) -> Reader | None:
    return postgresql.KNOWN.open(connection, segment) or kafka.KNOWN.open(connection, segment)


KNOWN: Known = Known(
    "PostgreSQL or Kafka",
    postgresql.KNOWN.starts | kafka.KNOWN.starts,
    postgresql.KNOWN.ports | kafka.KNOWN.ports,
    _open,
)
"""One, because each start of bytes leads to one."""
