"""Whether a capture may be made: place, asker and policy; asked at admission and again by the worker."""

from dataclasses import dataclass

from workers.ledger.capture import TERMINAL, Capture
from workers.place import NotHereError
from workers.policy.decide import decide
from workers.policy.names import Approvers
from workers.request.request import Request, Target
from workers.services import Services


@dataclass(frozen=True, slots=True)
class Judgement:
    """Why a capture may not be made, for the person who asked; `refusal` is None when it may.

    `rule` is the number of the policy's rule that decided, `channel_name` where it was asked for;
    `namespace_tap`: whether packets may be taken in the pod's network namespace, where they must;
    `exec_in_pod`: whether the pod itself may be asked for its interface's other end;
    `logs`: whether the pod's own log lines may be shown beside its packets;
    `approval`: who must approve it besides, None when nobody needs to.
    """

    refusal: str | None
    rule: int | None = None
    channel_name: str = ""
    namespace_tap: bool = False
    exec_in_pod: bool = False
    logs: bool = False
    approval: Approvers | None = None

    def unapproved(self, capture: Capture) -> str | None:
        """Why this capture may not be made yet although the policy allows it; None when it may."""
        if self.approval is None or capture.approved_by is not None:
            return None
        if capture.origin == TERMINAL:
            return (
                f"Rule {self.rule} of the policy needs a second person's approval for this: "
                "ask in Slack, where that is given."
            )
        return f"Rule {self.rule} of the policy needs a second person's approval for this: ask again."

    def facts(self) -> dict[str, str | int]:
        """What the trail is to know of it."""
        facts = {"channel_name": self.channel_name, "rule": self.rule}
        return {key: value for key, value in facts.items() if value}


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
        decision.rule,
        asker.channel_name,
        namespace_tap=decision.namespace_tap,
        exec_in_pod=decision.exec_in_pod,
        logs=decision.logs,
        approval=decision.approval,
    )


def request_of(capture: Capture) -> Request:
    """The request that a row of the ledger was made from."""
    return Request(
        target=Target(cluster=capture.cluster, namespace=capture.namespace, pod=capture.pod),
        seconds=capture.seconds,
        filter=capture.filter,
        full=capture.full,
    )
