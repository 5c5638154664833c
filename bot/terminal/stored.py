"""A capture file in the store, as somebody at a terminal may have it: what `download` and `delete` share."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from bot.terminal.command import CommandError
from bot.terminal.identity import Identity, identify
from bot.terminal.place import TerminalPlace, at_the_terminal
from bot.terminal.words import first_line, in_the_terminal
from workers.cluster.cluster import connect
from workers.cluster.errors import ClusterError
from workers.ledger.capture import Capture
from workers.ledger.ledger import Ledger
from workers.permission import judge
from workers.report import Silence
from workers.services import Services, open_ledger, open_policy, open_store
from workers.settings import Settings, load
from workers.store import Store
from workers.trail.stored_hash import stored_hash
from workers.trail.trail import Wanted


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The file of a capture, and who is allowed to have it."""

    capture: Capture
    name: str
    store: Store
    ledger: Ledger
    identity: Identity

    @property
    def sha256(self) -> str | None:
        """Its hash, as the trail has it; None when it has none. What the ledger has can be written over."""
        return stored_hash(self.ledger.trail.entries(Wanted(capture_id=self.capture.id)))

    def record(self, event: str, *, columns: dict[str, Any] | None = None, **facts: str | None) -> None:
        """Writes into the trail what becomes of the file, and by whom; columns of the ledger with it."""
        known = {"name": self.name, "account": self.identity.account, "sha256": self.sha256}
        self.ledger.record(
            self.capture.id, event, by=self.identity.shown, facts=known | facts, **(columns or {})
        )


@contextmanager
def stored_file(capture_id: str, event: str) -> Iterator[StoredFile]:
    """The file of a capture, for somebody whom the policy would allow that capture now.

    Args:
        capture_id: The capture.
        event: What is wanted of it; a refusal enters the trail as `EVENT denied`.

    Raises:
        CommandError: There is none, or the policy says no.
        SettingsError: A setting cannot be used.
    """
    settings = at_the_terminal(load())
    with closing(open_ledger(settings)) as ledger:
        yield _found(settings, ledger, capture_id, event)


def _found(settings: Settings, ledger: Ledger, capture_id: str, event: str) -> StoredFile:
    policy, store = open_policy(settings), open_store(settings)
    try:
        capture = ledger.get(capture_id)
    except KeyError:
        raise CommandError(
            f"There is no capture {in_the_terminal(capture_id)}: `podcap audit list` shows which there are."
        ) from None
    try:
        with connect(settings.kubeconfig) as cluster:
            identity = identify(cluster, settings.kubeconfig)
    except ClusterError as error:
        raise CommandError(in_the_terminal(str(error))) from error
    services = Services(settings, ledger, policy, store, TerminalPlace(identity, Silence()))
    judgement = judge(services, capture)
    refusal = judgement.refusal or judgement.unapproved(capture)
    if refusal is not None:
        facts = {"account": identity.account, "sentence": refusal}
        ledger.record(capture.id, f"{event} denied", by=identity.shown, facts=facts)
        raise CommandError(first_line(refusal))
    if capture.file_url is None:
        raise CommandError(
            f"The file of {capture.id} is not in the store: it was never there, or was deleted."
        )
    return StoredFile(capture, capture.file_url.rpartition("/")[2], store, ledger, identity)
