"""Everything outside that the work needs, opened once a process and handed to whoever works."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from workers.cluster.cluster import Cluster, connect
from workers.heart import Heart
from workers.ledger.engine import ACK_PATIENCE, open_engine
from workers.ledger.ledger import Ledger
from workers.ledger.migrate import migrate
from workers.place import Place, PlaceError
from workers.policy.load import load as load_policy
from workers.policy.names import ResolvedPolicy
from workers.policy.rules import Policy, PolicyError
from workers.settings import Settings, SettingsError, load
from workers.slack.place import SlackPlace
from workers.store import Store
from workers.trail.log import write_to_log

log = logging.getLogger(__name__)


class Services:
    """The services of one process; safe to share between its threads.

    Args:
        settings: podcap's settings.
        ledger: The table of captures.
        policy: Who may, with names still to be turned into ids.
        store: Where capture files are kept; None where they are only handed over.
        place: Where captures are asked for and reported.

    Attributes:
        heart: The heartbeat of the captures that this process is at.
        leaving: Set once this process is told to end; whoever waits looks at it.
    """

    def __init__(
        self, settings: Settings, ledger: Ledger, policy: Policy, store: Store | None, place: Place
    ) -> None:
        self.settings = settings
        self.ledger = ledger
        self.place = place
        self.store = store
        self.heart = Heart(ledger)
        self.leaving = threading.Event()
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

    def close(self) -> None:
        """Ends the heartbeat and lets go of the database: for whoever outlives its services."""
        self.heart.stop()
        self.ledger.close()

    def policy(self) -> ResolvedPolicy:
        """The policy with the place's ids for names, as they were when this process started.

        Raises:
            PlaceError: The place has not answered yet since then.
        """
        with self._resolving:
            if self._resolved is None:
                self._resolved = self.place.resolve(self._policy)
                for name in self._resolved.unresolved:
                    log.warning("policy: nothing here is called %s, so it never matches", name)
            return self._resolved


def open_services() -> Services:
    """Everything for captures that are asked for in Slack; the ledger is migrated when that is due.

    Raises:
        SettingsError: A setting, or the file it names, cannot be used.
    """
    settings = load()
    ledger, policy, store = open_ledger(settings), open_policy(settings), open_store(settings)
    services = Services(settings, ledger, policy, store, SlackPlace(settings, ledger))
    try:
        services.policy()
    except PlaceError as error:
        log.warning("the policy's names are looked up later: %s", error)
    return services


def open_ledger(settings: Settings) -> Ledger:
    """The table of captures, migrated when that is due.

    Raises:
        SettingsError: A setting names no database that can be used.
    """
    if settings.audit_log:
        write_to_log()
    engine = open_engine(settings.database_url)
    ledger = Ledger(engine, acking=open_engine(settings.database_url, patience=ACK_PATIENCE))
    try:
        migrate(engine, settings.database_owner_url)
    except SettingsError:
        ledger.close()
        raise
    return ledger


def open_store(settings: Settings) -> Store:
    """Where capture files are kept.

    Raises:
        SettingsError: PODCAP_STORE_URL names nothing that can be used.
    """
    try:
        return Store(settings.store_url)
    except (ImportError, ValueError) as error:
        raise SettingsError(f"PODCAP_STORE_URL: {_first_line(error)}.") from None


def open_policy(settings: Settings) -> Policy:
    """What the policy file says.

    Raises:
        SettingsError: PODCAP_POLICY names no file that can be used.
    """
    try:
        return load_policy(settings.policy)
    except PolicyError as error:
        raise SettingsError(f"PODCAP_POLICY: {error}") from None


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0].rstrip(".")
