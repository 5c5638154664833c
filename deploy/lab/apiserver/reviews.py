"""Reviews: questions about access that are answered and not stored."""

from typing import Any

from deploy.lab.apiserver.rbac import Roles, decide, rules_of
from deploy.lab.apiserver.requestinfo import RequestInfo
from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.status import FieldError, Object, bad_request, invalid, invalid_value
from deploy.lab.apiserver.users import User

_OF_OTHERS = frozenset({"subjectaccessreviews", "localsubjectaccessreviews"})


def answer(roles: Roles, resource: Resource, review: Object, user: User, namespace: str = "") -> Object:
    """The review with its status.

    Args:
        roles: What is granted.
        resource: Which review it is.
        review: The question.
        user: Who asks.
        namespace: Where a local review is made.

    Raises:
        ApiError: 422 for a question that is none.
    """
    if resource.plural == "selfsubjectreviews":
        info: Object = {"username": user.name, "groups": list(user.groups)}
        if user.uid:
            info["uid"] = user.uid
        return review | {"status": {"userInfo": info}}
    spec: Object = review.get("spec", {})
    if resource.plural == "selfsubjectrulesreviews":
        return review | {"status": _rules(roles, user, spec)}
    asker = user
    if resource.plural in _OF_OTHERS:
        asker = User(spec.get("user", ""), tuple(spec.get("groups", [])))
    if errors := _errors(resource, spec, namespace):
        raise invalid(resource, "", errors)
    decision = decide(roles, asker, _asked(spec))
    status: Object = {"allowed": decision.allowed}
    if decision.reason:
        status["reason"] = decision.reason
    if decision.errors and not decision.allowed:
        status["reason"] = status["evaluationError"] = f"RBAC: {', '.join(decision.errors)}"
    return review | {"status": status}


def _rules(roles: Roles, user: User, spec: Object) -> Object:
    namespace = spec.get("namespace", "")
    if not namespace:
        raise bad_request("no namespace on request")
    rules, errors = rules_of(roles, user, namespace)
    resource_keys = ("verbs", "apiGroups", "resources", "resourceNames")
    status: Object = {
        "resourceRules": [
            {key: rule[key] for key in resource_keys if key in rule} for rule in rules if "resources" in rule
        ],
        "nonResourceRules": [
            {key: rule[key] for key in ("verbs", "nonResourceURLs")}
            for rule in rules
            if "nonResourceURLs" in rule
        ],
        "incomplete": bool(errors),
    }
    return status | ({"evaluationError": ", ".join(errors)} if errors else {})


def _errors(resource: Resource, spec: Object, namespace: str) -> list[FieldError]:
    both = "resourceAttributes" in spec, "nonResourceAttributes" in spec
    errors = []
    asked_in = spec.get("resourceAttributes", {}).get("namespace", "")
    if resource.plural == "localsubjectaccessreviews" and asked_in != namespace:
        why = "must match metadata.namespace"
        errors.append(invalid_value("spec.resourceAttributes.namespace", asked_in, why))
    if all(both):
        why = "cannot be specified in combination with resourceAttributes"
        errors.append(invalid_value("spec.nonResourceAttributes", "", why))
    if not any(both):
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        errors.append(invalid_value("spec.resourceAttributes", "null", why))
    if resource.plural in _OF_OTHERS and not spec.get("user") and not spec.get("groups"):
        errors.append(invalid_value("spec.user", "", "at least one of user or group must be specified"))
    return errors


def _asked(spec: Object) -> RequestInfo:
    if "nonResourceAttributes" in spec:
        path: dict[str, Any] = spec["nonResourceAttributes"]
        return RequestInfo(path.get("verb", ""), path.get("path", ""))
    about: dict[str, Any] = spec["resourceAttributes"]
    return RequestInfo(
        verb=about.get("verb", ""),
        path="",
        group=about.get("group", ""),
        version=about.get("version", ""),
        resource=about.get("resource", "") or "*",
        subresource=about.get("subresource", ""),
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
    )
