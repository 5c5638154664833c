"""Role-based access control: may a user do this? Pure, over the roles and bindings of a store."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from deploy.lab.apiserver.requestinfo import RequestInfo
from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.resources import CLUSTERROLEBINDINGS, CLUSTERROLES, ROLEBINDINGS, ROLES
from deploy.lab.apiserver.status import ApiError, Object
from deploy.lab.apiserver.users import MASTERS, User


class Roles(Protocol):
    """Where roles and bindings are read from (a `Store`)."""

    def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """One object."""

    def objects(self, resource: Resource, namespace: str = "") -> list[Object]:
        """All objects of a namespace, or of all."""


@dataclass
class Decision:
    """The answer. `reason` names the binding that allows; `errors` are bindings to roles that are missing."""

    allowed: bool
    reason: str = ""
    errors: list[str] = field(default_factory=list)


def decide(roles: Roles, user: User, asked: RequestInfo) -> Decision:
    """Whether RBAC allows the request, and by which binding."""
    if MASTERS in user.groups:
        return Decision(allowed=True)
    decision = Decision(allowed=False)
    for rules, words in _granted(roles, user, asked.namespace, decision.errors):
        if any(covers(rule, asked) for rule in rules):
            return Decision(allowed=True, reason=f"RBAC: allowed by {words}")
    return decision


def rules_of(roles: Roles, user: User, namespace: str) -> tuple[list[Object], list[str]]:
    """Every rule that is granted to the user in a namespace, and bindings to roles that are missing."""
    errors: list[str] = []
    granted = [rule for rules, _ in _granted(roles, user, namespace, errors) for rule in rules]
    return granted, errors


def _granted(
    roles: Roles, user: User, namespace: str, errors: list[str]
) -> Iterator[tuple[list[Object], str]]:
    for binding in roles.objects(CLUSTERROLEBINDINGS):
        yield from _bound(roles, user, binding, errors)
    if namespace:
        for binding in roles.objects(ROLEBINDINGS, namespace):
            yield from _bound(roles, user, binding, errors)


def _bound(
    roles: Roles, user: User, binding: Object, errors: list[str]
) -> Iterator[tuple[list[Object], str]]:
    namespace = binding["metadata"].get("namespace", "")
    subject = next((s for s in binding.get("subjects", []) if _is(user, s, namespace)), None)
    if subject is None:
        return
    reference = binding["roleRef"]
    if reference["kind"] == "Role":
        role = roles.get(ROLES, namespace, reference["name"])
    else:
        role = roles.get(CLUSTERROLES, "", reference["name"])
    if role is None:
        kind = reference["kind"].lower()
        errors.append(f'{kind}.rbac.authorization.k8s.io "{reference["name"]}" not found')
        return
    where = f"{binding['metadata']['name']}/{namespace}" if namespace else binding["metadata"]["name"]
    words = (
        f'{binding["kind"]} "{where}" of {reference["kind"]} "{reference["name"]}" to '
        f"{_subject_words(subject, namespace)}"
    )
    yield role.get("rules") or [], words


def _is(user: User, subject: Object, namespace: str) -> bool:
    kind, name = subject["kind"], subject["name"]
    if kind == "User":
        return bool(name == user.name)
    if kind == "Group":
        return name in user.groups
    return user.account == (subject.get("namespace") or namespace, name)


def _subject_words(subject: Object, namespace: str) -> str:
    name = subject["name"]
    if subject["kind"] == "ServiceAccount":
        name = f"{name}/{subject.get('namespace') or namespace}"
    return f'{subject["kind"]} "{name}"'


def covers(rule: Object, asked: RequestInfo) -> bool:
    """Whether one rule allows a request. `pods` does not cover `pods/exec`; `*/exec` and `*` do."""
    if not _one_of(rule.get("verbs"), asked.verb):
        return False
    if not asked.is_resource:
        return any(_matches_path(url, asked.path) for url in rule.get("nonResourceURLs") or [])
    named = rule.get("resourceNames") or []
    return (
        _one_of(rule.get("apiGroups"), asked.group)
        and _covers_resource(rule.get("resources") or [], asked)
        and (not named or asked.name in named)
    )


def _one_of(words: list[str] | None, word: str) -> bool:
    return bool(words) and ("*" in (words or []) or word in (words or []))


def _covers_resource(resources: list[str], asked: RequestInfo) -> bool:
    whole = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
    any_parent = f"*/{asked.subresource}" if asked.subresource else "*"
    return bool({"*", whole, any_parent} & set(resources))


def _matches_path(url: str, path: str) -> bool:
    return path.startswith(url[:-1]) if url.endswith("*") else path == url


def refusal(user: User, asked: RequestInfo, decision: Decision) -> ApiError:
    """403 in the API server's words."""
    missing = f": RBAC: {_listed(decision.errors)}" if decision.errors else ""
    if not asked.is_resource:
        return ApiError(
            403,
            "Forbidden",
            f'forbidden: User "{user.name}" cannot {asked.verb} path "{asked.path}"{missing}',
            {},
        )
    resource = f"{asked.resource}.{asked.group}" if asked.group else asked.resource
    whole = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
    place = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    subject = f'{resource} "{asked.name}"' if asked.name else resource
    details: Object = {"name": asked.name} if asked.name else {}
    if asked.group:
        details["group"] = asked.group
    details["kind"] = asked.resource
    message = (
        f'{subject} is forbidden: User "{user.name}" cannot {asked.verb} resource "{whole}" in API group '
        f'"{asked.group}" {place}{missing}'
    )
    return ApiError(403, "Forbidden", message, details)


def _listed(errors: list[str]) -> str:
    return errors[0] if len(errors) == 1 else "[" + ", ".join(errors) + "]"


Authorizer = Callable[[User, RequestInfo], Decision]
