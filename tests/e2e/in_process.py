"""What a worker or beat has, opened in the test's own process, for tests that do their work themselves."""

from contextlib import closing
from typing import Any

from workers.policy.rules import NOBODY
from workers.services import Services, open_ledger, open_policy
from workers.settings import Settings
from workers.slack.place import SlackPlace
from workers.store import Store


def worker_services(world: Any) -> closing[Services]:
    """The services of a world's settings, closed at the end."""
    settings = Settings(_env_file=None, **world.environment)
    ledger = open_ledger(settings)
    place = SlackPlace(settings, ledger)
    return closing(Services(settings, ledger, open_policy(settings), Store(settings.store_url), place))


def beat_services(world: Any) -> closing[Services]:
    """The same without policy and store: what beat needs to see who is dead, without its minute."""
    settings = Settings(_env_file=None, **world.environment)
    ledger = open_ledger(settings)
    return closing(Services(settings, ledger, NOBODY, None, SlackPlace(settings, ledger)))
