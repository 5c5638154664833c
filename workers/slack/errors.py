"""Slack's refusals in one sentence each."""

from http.client import HTTPException
from urllib.error import URLError

from slack_sdk.errors import SlackApiError, SlackClientError


class UploadError(OSError):
    """The bytes of a file did not arrive at Slack; the message is one sentence."""


FAULTS = (SlackClientError, OSError, HTTPException)
"""What a Slack call raises when Slack refuses, is out of reach or answers nonsense."""

PERMANENT = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "missing_scope",
        "not_authed",
        "token_expired",
        "token_revoked",
    }
)
"""Refusals that no repetition mends: somebody has to change podcap's Slack app."""

PASSING = frozenset(
    {
        "fatal_error",
        "internal_error",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
"""Refusals that Slack itself calls temporary, in the reference of its methods."""

GONE = frozenset(
    {
        "cant_update_message",
        "channel_not_found",
        "is_archived",
        "is_inactive",
        "message_not_found",
        "not_in_channel",
        "user_not_in_channel",
    }
)
"""Refusals of a message whose place is no longer there."""

_SENTENCES = {
    "not_in_channel": "podcap is not in this channel: type `/invite @podcap` and ask again.",
    "channel_not_found": "podcap cannot see this channel: type `/invite @podcap` in it and ask again.",
    "is_archived": "This channel is archived: ask in a channel that is in use.",
    "missing_scope": "podcap's Slack app lacks a scope: an administrator adds `{needed}` and reinstalls it.",
    "invalid_auth": "Slack does not accept podcap's bot token: an administrator sets SLACK_BOT_TOKEN anew.",
    "account_inactive": "podcap's Slack app was deactivated: an administrator installs it again.",
    "token_revoked": "podcap's bot token was revoked: an administrator sets SLACK_BOT_TOKEN anew.",
    "file_uploads_disabled": "This workspace does not allow files: an administrator can allow them.",
    "restricted_action": "This workspace does not let podcap post here: an administrator can allow it.",
}


def reason(error: BaseException) -> str:
    """Why a Slack call failed, as one sentence for a person."""
    if isinstance(error, SlackApiError):
        code = str(error.response.get("error", "unknown error"))
        if error.response.status_code >= 500:  # noqa: PLR2004, HTTP's server errors
            return f"Slack is failing (HTTP {error.response.status_code}): ask again in a minute."
        known = _SENTENCES.get(code)
        if known is None:
            return f"Slack refused: {code}."
        return known.format(needed=error.response.get("needed", "the missing scope"))
    if isinstance(error, UploadError):
        return str(error)
    return "Slack cannot be reached: ask again in a minute."


def is_passing(error: BaseException) -> bool:
    """Whether the same call may succeed soon, or has taken effect: no answer, or Slack's own fault."""
    if isinstance(error, SlackApiError):
        return error.response.status_code >= 500 or code(error) in PASSING  # noqa: PLR2004, HTTP's server errors
    return True


def may_have_arrived(error: BaseException) -> bool:
    """Whether a call was sent whole before it failed, so that it may have taken effect and nobody knows.

    urllib wraps what goes wrong until then in URLError, and nothing that goes wrong afterwards.
    """
    return isinstance(error, (OSError, HTTPException)) and not isinstance(error, URLError)


def code(error: BaseException) -> str | None:
    """Slack's error code, such as `channel_not_found`; None when Slack did not answer with one."""
    return error.response.get("error") if isinstance(error, SlackApiError) else None
