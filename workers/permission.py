"""Whether a capture may be made: place, asker and policy; asked at admission and again by the worker."""

from dataclasses import dataclass

from workers.ledger.capture import TERMINAL, Capture
from workers.place import NotHereError
from workers.policy.decide import decide
from workers.policy.names import Approvers
from workers.request.request import Request, Target, TargetKind
from workers.request.targets import read_targets
from workers.services import Services


@dataclass(frozen=True, slots=True)
class Judgement:
    """Why a capture may not be made, for the person who asked; `refusal` is None when it may.

    `rules` are the numbers of the policy's rules that decided, `channel_name` where it was asked for;
    `namespace_tap`: whether packets may be taken in the pod's network namespace, where they must;
    `exec_in_pod`: whether the pod itself may be asked for its interface's other end;
    `logs`: whether the pod's own log lines may be shown beside its packets;
    `uplinks`: the namespaces whose Services may be captured at their nodes' uplinks, too;
    `approval`: who must approve it besides, None when nobody needs to.
    """

    refusal: str | None
    rules: tuple[int, ...] = ()
    channel_name: str = ""
    namespace_tap: bool = False
    exec_in_pod: bool = False
    logs: bool = False
    uplinks: frozenset[str] = frozenset()
    approval: Approvers | None = None

    @property
    def rule(self) -> str:
        """The rules that decided, as a sentence names them: `Rule 1`, `Rules 1 and 3`."""
        word = "Rule" if len(self.rules) == 1 else "Rules"
        return f"{word} {' and '.join(map(str, self.rules))}"

    def unapproved(self, capture: Capture) -> str | None:
        """Why this capture may not be made yet although the policy allows it; None when it may."""
        if self.approval is None or capture.approved_by is not None:
            return None
        verb = "needs" if len(self.rules) == 1 else "need"
        needs = f"{self.rule} of the policy {verb} a second person's approval for this"
        if capture.origin == TERMINAL:
            return f"{needs}: ask in Slack, where that is given."
        return f"{needs}: ask again."

    def facts(self) -> dict[str, str | int]:
        """What the trail is to know of it."""
        facts: dict[str, str | int] = {"channel_name": self.channel_name} if self.channel_name else {}
        if len(self.rules) == 1:
            return facts | {"rule": self.rules[0]}
        return facts | ({"rules": ", ".join(map(str, self.rules))} if self.rules else {})


def judge(services: Services, capture: Capture) -> Judgement:
    """Asks place and policy.

    Raises:
        PlaceError: The place does not say who is asking.
    """
    policy = services.policy()
    try:
        asker = services.place.asker(capture, policy)
    except NotHereError as error:
        return Judgement(str(error))
    decision = decide(policy, asker, request_of(capture))
    refusal = None
    if not decision.allowed:
        refusal = f"{decision.sentence}\n{decision.example}" if decision.example else decision.sentence
    return Judgement(
        refusal,
        decision.rules,
        asker.channel_name,
        namespace_tap=decision.namespace_tap,
        exec_in_pod=decision.exec_in_pod,
        logs=decision.logs,
        uplinks=decision.uplinks,
        approval=decision.approval,
    )


def request_of(capture: Capture) -> Request:
    """The request that a row of the ledger was made from."""
    targets, ends = targets_of(capture)
    return Request(targets, seconds=capture.seconds, filter=capture.filter, full=capture.full, ends=ends)


def targets_of(capture: Capture) -> tuple[tuple[Target, ...], bool]:
    """What a capture was asked to take, and whether that is the two ends of a conversation."""
    if capture.targets is not None:
        return read_targets(capture.targets, capture.cluster)
    return (Target(capture.cluster, TargetKind.POD, capture.namespace, capture.pod),), False
