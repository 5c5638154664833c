"""A Slack channel, and what may not be asked in it whatever the policy says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Channel:
    """A conversation as Slack's conversations.info describes it, under Slack's own names."""

    id: str
    name: str
    is_ext_shared: bool
    is_im: bool
    is_mpim: bool
    is_private: bool
    is_archived: bool
    is_member: bool


def refuse_channel(channel: Channel) -> str | None:
    """Why podcap works not in this channel, in one sentence that says what to do; None when it does."""
    if channel.is_im or channel.is_mpim:
        return (
            "podcap captures only where a team can see it, not in a direct message: "
            "ask in a channel that podcap is in."
        )
    if channel.is_archived:
        return "This channel is archived, so podcap cannot write to it: ask in another one."
    if not channel.is_member:
        return "podcap is not in this channel: type `/invite @podcap` here, then ask again."
    return None


def payload_forbidden_in(channel: Channel) -> str | None:
    """Why whole packets may not be captured in this channel, in one sentence; None when they may."""
    if channel.is_ext_shared:
        return (
            "This channel is shared with another organization, so whole packets never go into it: "
            "ask without `full`, or in a channel of your own organization."
        )
    return None
