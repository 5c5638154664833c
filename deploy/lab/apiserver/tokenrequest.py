"""`serviceaccounts/token`: a token for a service account (TokenRequest)."""

from typing import Any

from deploy.lab.apiserver import times
from deploy.lab.apiserver.status import ApiError, Object
from deploy.lab.apiserver.tokens import ISSUER, Tokens

_DEFAULT_SECONDS, _SHORTEST_SECONDS, _LONGEST_SECONDS = 3600, 600, 2**32


def answer(tokens: Tokens, account: Object, request: Any) -> Object:
    """The TokenRequest with its token.

    Raises:
        ApiError: 422 when the token would live for less than 10 minutes.
    """
    request = request if isinstance(request, dict) else {}
    spec: Object = request.get("spec") or {}
    metadata = account["metadata"]
    seconds = spec.get("expirationSeconds") or _DEFAULT_SECONDS
    if not _SHORTEST_SECONDS <= seconds <= _LONGEST_SECONDS:
        field = "spec.expirationSeconds"
        message = f"Invalid value: {seconds}: may not specify a duration less than 10 minutes"
        cause = {"reason": "FieldValueInvalid", "message": message, "field": field}
        raise ApiError(
            422,
            "Invalid",
            f'TokenRequest.authentication.k8s.io "" is invalid: {field}: {message}',
            {"group": "authentication.k8s.io", "kind": "TokenRequest", "causes": [cause]},
        )
    audiences = spec.get("audiences") or [ISSUER]
    token = tokens.issue(metadata["namespace"], metadata["name"], metadata["uid"], audiences, seconds)
    return {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "creationTimestamp": times.now(),
        },
        "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": None},
        "status": {"token": token, "expirationTimestamp": times.now(seconds)},
    }
