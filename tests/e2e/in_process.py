"""What a worker has, opened in the test's own process, for tests that make captures themselves."""

from contextlib import closing
from typing import Any

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
