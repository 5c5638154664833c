"""The audit trail's copy in a Slack channel: one line an entry, posted by beat behind the ledger's commit.

Whoever can change the database cannot change what a channel already shows, and each line carries the entry's
hash. An entry may be posted twice when beat dies between Slack's answer and its own note of it; the number
tells. None is left out.
"""

import logging

from workers.ledger.ledger import Ledger
from workers.place import PlaceError
from workers.settings import Settings
from workers.slack.client import progress_client
from workers.slack.faults import faults_as_place_errors
from workers.thread.messages import Message
from workers.thread.trail_messages import mirror_message
from workers.trail.trail import Wanted

log = logging.getLogger(__name__)

# One block a line, and Slack takes 50 blocks in a message.
_AT_ONCE = 40


def mirror(settings: Settings, ledger: Ledger) -> None:
    """Posts the next entries, when PODCAP_AUDIT_CHANNEL is set; at most one message, to keep Slack's pace.

    A channel that is set for the first time begins with the first entry. What it does not take now, the next
    round tries again.
    """
    channel = settings.audit_channel
    if channel is None:
        return
    entries = list(ledger.trail.entries(Wanted(behind=ledger.mirrors.has(channel), oldest=_AT_ONCE)))
    if not entries:
        return
    message, told = mirror_message(entries)
    try:
        _post(settings, channel, message)
    except PlaceError as error:
        log.warning("PODCAP_AUDIT_CHANNEL %s does not take the trail: %s", channel, error)
        return
    ledger.mirrors.note(channel, entries[told - 1].number)


@faults_as_place_errors()
def _post(settings: Settings, channel: str, message: Message) -> None:
    progress_client(settings).chat_postMessage(
        channel=channel, text=message.text, blocks=message.blocks, unfurl_links=False, unfurl_media=False
    )
