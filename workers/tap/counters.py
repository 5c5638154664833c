"""What a network interface has counted so far. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Counters:
    """Packets since the interface was made, as the interface itself sees them."""

    received: int
    sent: int

    def since(self, before: "Counters") -> "Counters | None":
        """What was added since then; None when it has become less, so it is another interface."""
        added = Counters(self.received - before.received, self.sent - before.sent)
        return added if min(added.received, added.sent) >= 0 else None


def counters(text: str) -> Mapping[str, Counters]:
    """Interface name to its counters, from the lines of `/proc/net/dev` (proc_pid_net(5))."""
    rows = re.findall(r"^\s*(\S+):((?:\s*\d+){16})\s*$", text, re.MULTILINE)
    return {name: Counters(int(row.split()[1]), int(row.split()[9])) for name, row in rows}
