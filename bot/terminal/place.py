"""The terminal as the place where captures are asked for and reported, without Slack and without a store."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bot.terminal.identity import Identity
from workers.ledger.capture import Capture
from workers.ledger.lease import Lease
from workers.ledger.tap_record import TapRecord
from workers.place import NotHereError
from workers.policy.decide import Asker
from workers.policy.names import ResolvedPolicy, ResolvedRule, resolve
from workers.policy.rules import Policy
from workers.report import Report
from workers.settings import Settings

_NO_POLICY = (
    "Whole packets need a policy that allows them: set PODCAP_POLICY to a file with a rule that says "
    "`payload: true`, or ask without `full`."
)

# Without a policy the kubeconfig's own rights decide, and headers are all there is.
_ANY_HEADERS = ResolvedRule(
    channel_ids=None,
    user_ids=None,
    usergroup_ids=None,
    clusters=None,
    namespaces=("*",),
    max_seconds=None,
    payload=False,
    uplinks=True,
    nodes=("*",),
)


class TerminalPlace:
    """One terminal with somebody at it, and the report of the one capture it makes.

    Args:
        identity: Who is there.
        report: Where the capture reports to.
        ask: Asks them whether they mean so many taps; raises NotHereError when nobody answers.
    """

    def __init__(
        self,
        identity: Identity,
        report: Report,
        ask: Callable[[Sequence[TapRecord]], bool] = lambda _: True,
    ) -> None:
        self._identity = identity
        self._report = report
        self._ask = ask

    def report(self, capture: Capture, lease: Lease | None = None, *, again: bool = False) -> Report:  # noqa: ARG002, there is one
        """The terminal's."""
        return self._report

    def resolve(self, policy: Policy) -> ResolvedPolicy:
        """Channels and Slack's user groups are nobody here; e-mail addresses are users of Kubernetes."""
        if not policy.is_set:
            return ResolvedPolicy(rules=(_ANY_HEADERS,), audit=(), is_set=False, unresolved=())
        # What only Slack knows is no mistake in the policy.
        return replace(resolve(policy, _Names()), unresolved=())

    def asker(self, capture: Capture, policy: ResolvedPolicy) -> Asker:
        """Whoever is at the terminal.

        Raises:
            NotHereError: Whole packets, without a policy.
        """
        if capture.full and not policy.is_set:
            raise NotHereError(_NO_POLICY)
        identity = self._identity
        return Asker(
            user_id=identity.policy_id,
            usergroup_ids=frozenset(),
            channel_id="",
            email=identity.email or f"kubernetes:{identity.name}",
        )

    def email(self, capture: Capture) -> str | None:  # noqa: ARG002, there is one person
        """The asker's, where the cluster knows them by it."""
        return self._identity.email

    def link(self, capture: Capture) -> str | None:  # noqa: ARG002, there is none
        """Nothing here has an address."""
        return None

    def agreed(self, capture: Capture, taps: Sequence[TapRecord]) -> bool | None:  # noqa: ARG002, there is one
        """What they answer at once."""
        return self._ask(taps)

    def payload_refusal(self, capture: Capture) -> str | None:  # noqa: ARG002, the place does not change
        """Nothing here forbids what the policy allowed."""
        return None


class _Names:
    """The names of a policy at a terminal."""

    def channel_id(self, name: str) -> str | None:  # noqa: ARG002, no channel is here
        return None

    def usergroup_id(self, handle: str) -> str | None:  # noqa: ARG002, only Slack knows them
        return None

    def user_id(self, email: str) -> str | None:
        return f"kubernetes:{email}"


def at_the_terminal(settings: Settings) -> Settings:
    """The settings, with kubectl's own kubeconfig where none is named and this is no pod."""
    usual = Path.home() / ".kube" / "config"
    if settings.kubeconfig is None and usual.exists():
        return settings.model_copy(update={"kubeconfig": str(usual)})
    return settings
