"""What can go wrong when a cluster is asked, each with the one sentence a person reads."""

import json
import re
from typing import Any

from workers.request.quoting import inert


class ClusterError(Exception):
    """A question to the cluster has no good answer; `str(error)` is one sentence for the person who asked."""


class PodNotFoundError(ClusterError):
    """There is no pod of that name in the namespace."""


class NamespaceNotFoundError(ClusterError):
    """There is no such namespace."""


class NodeNotFoundError(ClusterError):
    """There is no such node."""


class NotRunningError(ClusterError):
    """The pod exists and has no packets now: Pending, Succeeded, Failed or terminating."""


class NodeNotReadyError(ClusterError):
    """The pod's node does not report to the API server, so nothing can be started on it."""


class ForbiddenError(ClusterError):
    """Kubernetes refuses: a right is missing, or an admission rule says no."""


class UnauthenticatedError(ClusterError):
    """The API server does not accept the credentials."""


class UnreachableError(ClusterError):
    """No answer from the API server: connection, TLS or time."""


class ConflictError(ClusterError):
    """The object exists already."""


class RefusedError(ClusterError):
    """Any other answer that is not a success, in the API's own words."""


class NotServedError(RefusedError):
    """There is no such object, or the API server does not know its kind."""


class ExecError(ClusterError):
    """A command could not be run in a container, in the API's own words."""


class ExecCutError(ExecError):
    """An exec's stream ended without its Status: what came until then is all that is known."""


class ExecTimeoutError(ExecError):
    """An exec took longer than its deadline; the process on the node may live on."""


class OutputTooLongError(ExecError):
    """A command wrote more than the caller takes."""


# How RBAC's authorizer words a refusal
# (kubernetes, apiserver/pkg/endpoints/handlers/responsewriters/errors.go).
_CANNOT = re.compile(
    r'cannot (?P<verb>\S+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]+)")?'
)

_LONGEST_MESSAGE = 300


def from_answer(code: int, body: bytes) -> ClusterError:
    """The error for an answer of the API server that is not a success.

    Args:
        code: HTTP status code.
        body: The answer's body, normally a Kubernetes `Status` object in JSON.
    """
    status = _status(body)
    message = _one_line(status.get("message") or body.decode("utf-8", "replace") or f"HTTP status {code}")
    match code, status.get("reason"):
        case 401, _:
            return UnauthenticatedError(
                "The cluster does not accept podcap's credentials: check its kubeconfig or service account."
            )
        case 403, _:
            return ForbiddenError(_forbidden(message))
        case 409, "AlreadyExists":
            return ConflictError(f"The cluster has it already: {message}.")
        case 404, _ if status.get("details", {}).get("kind") == "pods":
            name = status["details"].get("name", "")
            return PodNotFoundError(f"There is no pod {name} (any more).")
        case 404, _:
            return NotServedError(f"The cluster refused: {message}.")
        case _:
            return RefusedError(f"The cluster refused: {message}.")


def _forbidden(message: str) -> str:
    match = _CANNOT.search(message)
    if match is None:
        return f"The cluster forbids it: {message}."
    group = f".{match['group']}" if match["group"] else ""
    where = f" in namespace {match['namespace']}" if match["namespace"] else " in the whole cluster"
    return (
        f"podcap lacks a right: its account may not {match['verb']} {match['resource']}{group}{where}; "
        "a cluster administrator can grant it by RBAC."
    )


def _status(body: bytes) -> dict[str, Any]:
    try:
        status = json.loads(body)
    except ValueError:
        return {}
    return status if isinstance(status, dict) else {}


def _one_line(text: str) -> str:
    return inert(text, _LONGEST_MESSAGE).rstrip(".")
