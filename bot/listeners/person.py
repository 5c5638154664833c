"""Who pressed or typed something, as the trail knows people."""

from slack_sdk.errors import SlackApiError

from workers.place import PlaceError
from workers.services import Services
from workers.slack.client import progress_client
from workers.slack.directory import SlackDirectory
from workers.slack.faults import faults_as_place_errors


def who(services: Services, user_id: str, user_name: str) -> dict[str, str]:
    """Name and, where Slack tells it at once, e-mail address: what was asked for does not wait longer."""
    try:
        email = _email(services, user_id)
    except PlaceError:
        email = None
    return {"user_name": user_name} | ({"user_email": email} if email else {})


@faults_as_place_errors()
def _email(services: Services, user_id: str) -> str | None:
    try:
        return SlackDirectory(progress_client(services.settings)).email(user_id)
    except SlackApiError:
        return None
