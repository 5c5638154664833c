"""Slack's rate limits: per method in tiers, for posting per channel (Slack's guide to rate limits).

Tiers count the calls of the last minute. Posting is a bucket: one a second in a channel, short bursts pass.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

_MINUTE = 60.0

TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
"""Calls a minute that each tier promises at least; the stand-in allows no more."""

_SPECIAL_PER_MINUTE = 600
"""Where Slack says `special` without a figure ("hundreds a minute")."""

METHODS: dict[str, int] = {
    "api.test": TIERS[4],
    "apps.connections.open": TIERS[3],
    "auth.test": _SPECIAL_PER_MINUTE,
    "chat.delete": TIERS[3],
    "chat.getPermalink": _SPECIAL_PER_MINUTE,
    "chat.postEphemeral": TIERS[4],
    "chat.postMessage": _SPECIAL_PER_MINUTE,
    "chat.update": TIERS[3],
    "conversations.history": TIERS[3],
    "conversations.info": TIERS[3],
    "conversations.join": TIERS[3],
    "conversations.list": TIERS[2],
    "conversations.members": TIERS[4],
    "conversations.replies": TIERS[3],
    "files.completeUploadExternal": TIERS[4],
    "files.delete": TIERS[3],
    "files.getUploadURLExternal": TIERS[4],
    "files.info": TIERS[4],
    "reactions.add": TIERS[3],
    "team.info": TIERS[3],
    "usergroups.list": TIERS[2],
    "usergroups.users.list": TIERS[2],
    "users.info": TIERS[4],
    "users.list": TIERS[2],
    "users.lookupByEmail": TIERS[3],
    "views.open": TIERS[4],
}
"""Calls a minute, by method."""


@dataclass(slots=True)
class RateLimit:
    """Decides whether a call may pass. A refused call does not count.

    Attributes:
        clock: Seconds; only differences matter.
        scale: Multiplies every limit; 0 turns all of them off.
        burst: Messages a channel takes at once.
    """

    clock: Callable[[], float]
    scale: float = 1.0
    burst: int = 5
    _calls: dict[str, deque[float]] = field(default_factory=dict)
    _posts: dict[str, tuple[float, float]] = field(default_factory=dict)
    _closed_until: dict[str, float] = field(default_factory=dict)

    def refuse(self, method: str, channel: str | None) -> int | None:
        """Counts a call.

        Args:
            method: Such as `chat.update`.
            channel: For chat.postMessage, where to.

        Returns:
            None when it may pass, else whole seconds after which to try again.
        """
        if not self.scale:
            return None
        wait, narrow = self._wait_for_method(method), method
        if wait <= 0 and method == "chat.postMessage" and channel:
            wait, narrow = self._wait_for_channel(channel), f"{method} {channel}"
        if wait > 0:
            after = max(1, math.ceil(wait))
            self._closed_until[narrow] = self.clock() + after
            return after
        self._calls.setdefault(method, deque()).append(self.clock())
        return None

    def too_early(self, method: str, channel: str | None) -> bool:
        """Whether this call was refused before and its Retry-After has not passed."""
        return any(self.clock() < self._closed_until.get(key, 0.0) for key in (method, f"{method} {channel}"))

    def _wait_for_method(self, method: str) -> float:
        limit = max(1, int(METHODS[method] * self.scale))
        calls = self._calls.setdefault(method, deque())
        while calls and calls[0] <= self.clock() - _MINUTE:
            calls.popleft()
        return 0.0 if len(calls) < limit else calls[0] + _MINUTE - self.clock()

    def _wait_for_channel(self, channel: str) -> float:
        now = self.clock()
        room, since = self._posts.get(channel, (float(self.burst), now))
        room = min(float(self.burst), room + (now - since) * self.scale)
        if room < 1:
            self._posts[channel] = (room, now)
            return (1 - room) / self.scale
        self._posts[channel] = (room - 1, now)
        return 0.0
