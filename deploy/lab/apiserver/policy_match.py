"""Whether a policy is about a request: `matchConstraints` and a binding's `matchResources`. Pure."""

from deploy.lab.apiserver.attributes import Attributes
from deploy.lab.apiserver.selectors import of_object
from deploy.lab.apiserver.status import Object


def matches(match: Object, asked: Attributes, namespace: Object | None) -> bool:
    """Whether a request is one of those that are meant.

    Args:
        match: A `MatchResources` with its defaults.
        asked: The request.
        namespace: The namespace it is in; None for what is in none.
    """
    if not _selects_namespace(match["namespaceSelector"], asked, namespace):
        return False
    selects = of_object(match["objectSelector"])
    objects = [one for one in (asked.value, asked.old) if one is not None]
    if (
        not any(selects(one["metadata"].get("labels") or {}) for one in objects if "metadata" in one)
        and (match["objectSelector"])
    ):
        return False
    if any(_covers(rule, asked) for rule in match.get("excludeResourceRules", [])):
        return False
    # A binding without rules is about everything that its policy is about.
    rules = match.get("resourceRules", [])
    return not rules or any(_covers(rule, asked) for rule in rules)


def _selects_namespace(selector: Object, asked: Attributes, namespace: Object | None) -> bool:
    if asked.resource.plural == "namespaces":
        namespace = asked.value or asked.old
    # What is in no namespace is not exempt: the selector does not concern it.
    return namespace is None or of_object(selector)(namespace["metadata"].get("labels") or {})


def _covers(rule: Object, asked: Attributes) -> bool:
    resource = asked.resource
    names = rule.get("resourceNames", [])
    scope = "Namespaced" if resource.namespaced else "Cluster"
    return (
        _one_of(rule["operations"], asked.operation)
        and _one_of(rule["apiGroups"], resource.group)
        and _one_of(rule["apiVersions"], resource.version)
        and any(_is(word, asked) for word in rule["resources"])
        and rule["scope"] in {"*", scope}
        and (not names or asked.name in names)
    )


def _one_of(words: list[str], word: str) -> bool:
    return "*" in words or word in words


def _is(word: str, asked: Attributes) -> bool:
    """`pods` is the pod itself, `pods/exec` a part, `pods/*` all its parts and it, `*/*` everything."""
    whole, _, part = word.partition("/")
    return whole in {"*", asked.resource.plural} and part in {"*", asked.subresource}
