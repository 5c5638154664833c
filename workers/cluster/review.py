"""Asking Kubernetes who asks and what they may: the API's reviews, which store nothing. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WHO_PATH = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
"""There since Kubernetes 1.28 (authentication.k8s.io/v1 SelfSubjectReview)."""

MAY_PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True, slots=True)
class Right:
    """A right as RBAC knows it; `namespace` empty: in all of them, or without one; `group` too: core."""

    verb: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    group: str = ""

    def __str__(self) -> str:
        """`create pods/exec`, `get pods`."""
        return f"{self.verb} {self.resource}{'/' if self.subresource else ''}{self.subresource}"


def who_review() -> dict[str, Any]:
    """The question who asks."""
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}


def user_of(review: Mapping[str, Any]) -> str:
    """The user name in its answer."""
    return str(review["status"]["userInfo"]["username"])


def may_review(right: Right) -> dict[str, Any]:
    """The question whether whoever asks has a right."""
    about = {"verb": right.verb, "resource": right.resource}
    if right.group:
        about["group"] = right.group
    if right.subresource:
        about["subresource"] = right.subresource
    if right.namespace:
        about["namespace"] = right.namespace
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": about},
    }


def allowed(review: Mapping[str, Any]) -> bool:
    """Its answer."""
    return bool(review.get("status", {}).get("allowed"))
