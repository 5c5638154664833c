"""Everything outside that the work needs, opened once a process and handed to whoever works."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from workers.cluster.cluster import Cluster, connect
from workers.heart import Heart
from workers.ledger.engine import open_engine
from workers.ledger.ledger import Ledger
from workers.ledger.migrate import migrate
from workers.policy.load import load as load_policy
from workers.policy.names import ResolvedPolicy, resolve
from workers.policy.rules import Policy, PolicyError
from workers.settings import Settings, SettingsError, load
from workers.slack.client import progress_client, reading_client, writing_client
from workers.slack.directory import SlackDirectory
from workers.slack.errors import FAULTS, reason
from workers.store import Store
from workers.thread.thread import Thread

log = logging.getLogger(__name__)


class Services:
    """The services of one process; safe to share between its threads.

    Args:
        settings: podcap's settings.
        ledger: The table of captures.
        policy: Who may, with names still to be turned into ids.
        store: Where capture files are kept.
    """

    def __init__(self, settings: Settings, ledger: Ledger, policy: Policy, store: Store) -> None:
        self.settings = settings
        self.ledger = ledger
        self.directory = SlackDirectory(reading_client(settings))
        self.store = store
        self.heart = Heart(ledger)
        self._policy = policy
        self._resolved: ResolvedPolicy | None = None
        self._resolving = threading.Lock()

    @contextmanager
    def cluster(self) -> Iterator[Cluster]:
        """The cluster, for this thread alone.

        Raises:
            ClusterError: There is no way to it.
        """
        with connect(self.settings.kubeconfig) as cluster:
            yield cluster

    def thread(self) -> Thread:
        """A thread to report to, for one capture."""
        return Thread(writing_client(self.settings), progress_client(self.settings), self.ledger)

    def policy(self) -> ResolvedPolicy:
        """The policy with Slack's ids in the place of names, as they were when this process started.

        Raises:
            slack_sdk's errors: Slack has not answered yet since then.
        """
        with self._resolving:
            if self._resolved is None:
                self._resolved = resolve(self._policy, self.directory)
                for name in self._resolved.unresolved:
                    log.warning("policy: nothing in Slack is called %s, so it never matches", name)
            return self._resolved


def open_services() -> Services:
    """Reads the settings, migrates the ledger when that is due, reads the policy and resolves its names.

    Raises:
        SettingsError: A setting, or the file it names, cannot be used.
    """
    settings = load()
    engine = open_engine(settings.database_url)
    try:
        migrate(engine)
    except SQLAlchemyError as error:
        raise SettingsError(
            f"PODCAP_DATABASE_URL: the database cannot be used ({_first_line(error)})."
        ) from None
    try:
        policy = load_policy(settings.policy)
    except PolicyError as error:
        raise SettingsError(f"PODCAP_POLICY: {error}") from None
    try:
        store = Store(settings.store_url)
    except (ImportError, ValueError) as error:
        raise SettingsError(f"PODCAP_STORE_URL: {_first_line(error)}.") from None
    services = Services(settings, Ledger(engine), policy, store)
    try:
        services.policy()
    except FAULTS as error:
        log.warning("the policy's names are looked up later: %s", reason(error))
    return services


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0].rstrip(".")
