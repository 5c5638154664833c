"""How many captures may run at once, and what is said to one that waits for room."""

from collections.abc import Mapping
from dataclasses import dataclass

from workers.ledger.capture import Capture
from workers.line import Held
from workers.request.quoting import inert
from workers.settings import Settings
from workers.thread.words import count


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings PODCAP_CAPTURES_PER_…, and how many captures of one person may wait."""

    user: int
    channel: int
    node: int
    cluster: int
    waiting: int

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """The limits that the settings name."""
        return cls(
            user=settings.captures_per_user,
            channel=settings.captures_per_channel,
            node=settings.captures_per_node,
            cluster=settings.captures_per_cluster,
            waiting=settings.waiting_per_user,
        )

    def by_name(self) -> Mapping[str, int]:
        """As `line.stand` takes them."""
        return {"user": self.user, "channel": self.channel, "node": self.node, "cluster": self.cluster}

    def why(self, capture: Capture, held: Held, *, user: str) -> str:
        """What a waiting capture waits for, as half a sentence that goes on after its place in the queue.

        Args:
            capture: The capture.
            held: What holds it back.
            user: How the asker is named there, with the verb: `<@U1> has`.
        """
        has, most = {
            "user": (user, "one person may have"),
            "channel": ("this channel has", "one channel may have"),
            "node": (f"node `{inert(held.whose, limit=253)}` has", "one node may have"),
            "cluster": (f"cluster `{inert(capture.cluster)}` has", "one cluster may have"),
        }[held.limit]
        at_once = count(self.by_name()[held.limit], "capture")
        return f"{has} {at_once} running, the most that {most} at once"

    def why_here(self, capture: Capture, held: Held) -> str:
        """`why`, for the capture's message in Slack."""
        return self.why(capture, held, user=f"<@{capture.user_id}> has")
