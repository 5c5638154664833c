"""Whether a capture may be made: place, asker and policy; asked at admission and again by the worker."""

from workers.ledger.capture import Capture
from workers.place import NotHereError
from workers.policy.decide import decide
from workers.request.request import Request, Target
from workers.services import Services


def refusal(services: Services, capture: Capture) -> str | None:
    """Why this capture may not be made, for the person who asked; None when it may.

    Raises:
        PlaceError: The place does not say who is asking.
    """
    policy = services.policy()
    try:
        asker = services.place.asker(capture, policy)
    except NotHereError as error:
        return str(error)
    decision = decide(policy, asker, request_of(capture))
    if decision.allowed:
        return None
    return f"{decision.sentence}\n{decision.example}" if decision.example else decision.sentence


def request_of(capture: Capture) -> Request:
    """The request that a row of the ledger was made from."""
    return Request(
        target=Target(cluster=capture.cluster, namespace=capture.namespace, pod=capture.pod),
        seconds=capture.seconds,
        filter=capture.filter,
        full=capture.full,
    )
