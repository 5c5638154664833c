"""What ValidatingAdmissionPolicies and their bindings may hold, in the words of Kubernetes' validation."""

import re
from typing import Any

from deploy.lab.apiserver import names
from deploy.lab.apiserver.policy_program import compiled
from deploy.lab.apiserver.selector_validation import label_selector
from deploy.lab.apiserver.status import (
    FieldError,
    Object,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

_FAILURE_POLICIES = ("Fail", "Ignore")
_MATCH_POLICIES = ("Equivalent", "Exact")
_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_ACTIONS = ("Audit", "Deny", "Warn")
_MISSING_PARAMETERS = ("Allow", "Deny")
_NOTHING = "validations or auditAnnotations must contain at least one item"
_IDENTIFIER = re.compile("[_a-zA-Z][_a-zA-Z0-9]*")


def policy(value: Object) -> list[FieldError]:
    """Errors of a ValidatingAdmissionPolicy."""
    spec = value["spec"]
    errors = _scope(spec)
    for n, variable in enumerate(spec.get("variables", [])):
        errors += _variable(variable, f"spec.variables[{n}]")
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        errors += [required(f"spec.{field}", _NOTHING) for field in ("validations", "auditAnnotations")]
    for n, validation in enumerate(spec.get("validations", [])):
        errors += _validation(validation, f"spec.validations[{n}]")
    for n, annotation in enumerate(spec.get("auditAnnotations", [])):
        at, name = f"spec.auditAnnotations[{n}]", value["metadata"].get("name", "")
        errors += names.label_key(f"{at}.key", f"{name}/{annotation.get('key', '')}")
        if _is_blank(annotation.get("valueExpression")):
            errors.append(required(f"{at}.valueExpression", "valueExpression is not specified"))
    return errors or compiled(spec).errors


def _scope(spec: Object) -> list[FieldError]:
    """Errors of what says where the policy applies."""
    errors = []
    if spec["failurePolicy"] not in _FAILURE_POLICIES:
        errors.append(not_supported("spec.failurePolicy", spec["failurePolicy"], _FAILURE_POLICIES))
    if "paramKind" in spec:
        errors += [
            required(f"spec.paramKind.{field}")
            for field in ("apiVersion", "kind")
            if not spec["paramKind"].get(field)
        ]
    if "matchConstraints" not in spec:
        errors.append(required("spec.matchConstraints"))
    else:
        errors += _match_resources(spec["matchConstraints"], "spec.matchConstraints")
        if not spec["matchConstraints"].get("resourceRules"):
            errors.append(required("spec.matchConstraints.resourceRules"))
    return errors + _match_conditions(spec.get("matchConditions", []))


def _is_blank(text: Any) -> bool:
    return not str(text or "").strip()


def _match_conditions(conditions: list[Object]) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for n, condition in enumerate(conditions):
        at, name = f"spec.matchConditions[{n}]", condition.get("name", "")
        if _is_blank(condition.get("expression")):
            errors.append(required(f"{at}.expression"))
        if not name:
            errors.append(required(f"{at}.name"))
            continue
        errors += names.label_key(f"{at}.name", name)
        if name in seen:
            errors.append(duplicate(f"{at}.name", name))
        seen.add(name)
    return errors


def _variable(variable: Object, at: str) -> list[FieldError]:
    name = variable.get("name", "")
    errors = []
    if _is_blank(name):
        errors.append(required(f"{at}.name", "name is not specified"))
    elif not _IDENTIFIER.fullmatch(name):
        errors.append(invalid_value(f"{at}.name", name, "name is not a valid CEL identifier"))
    if _is_blank(variable.get("expression")):
        errors.append(required(f"{at}.expression", "expression is not specified"))
    return errors


def _validation(validation: Object, at: str) -> list[FieldError]:
    errors = []
    if _is_blank(validation.get("expression")):
        errors.append(required(f"{at}.expression", "expression is not specified"))
    message, expression = validation.get("message", ""), validation.get("messageExpression", "")
    if expression and _is_blank(expression):
        errors.append(invalid_value(f"{at}.messageExpression", expression, "must be non-empty if specified"))
    if message and _is_blank(message):
        errors.append(invalid_value(f"{at}.message", message, "message must be non-empty if specified"))
    elif re.search("[\n\r]", message.strip()):
        errors.append(invalid_value(f"{at}.message", message, "message must not contain line breaks"))
    reason = validation.get("reason")
    if reason is not None and reason not in _REASONS:
        errors.append(not_supported(f"{at}.reason", reason, _REASONS))
    return errors


def _match_resources(match: Object, at: str) -> list[FieldError]:
    errors = []
    if match["matchPolicy"] not in _MATCH_POLICIES:
        errors.append(not_supported(f"{at}.matchPolicy", match["matchPolicy"], _MATCH_POLICIES))
    for selector in ("namespaceSelector", "objectSelector"):
        errors += label_selector(match[selector], f"{at}.{selector}")
    for kind in ("resourceRules", "excludeResourceRules"):
        for n, rule in enumerate(match.get(kind, [])):
            errors += _rule(rule, f"{at}.{kind}[{n}]")
    return errors


def _rule(rule: Object, at: str) -> list[FieldError]:
    operations = rule.get("operations", [])
    errors = [] if operations else [required(f"{at}.operations")]
    if len(operations) > 1 and "*" in operations:
        why = "if '*' is present, must not specify other operations"
        errors.append(invalid_value(f"{at}.operations", operations, why))
    for n, operation in enumerate(operations):
        if operation not in _OPERATIONS:
            errors.append(not_supported(f"{at}.operations[{n}]", operation, _OPERATIONS))
    for field in ("apiGroups", "apiVersions", "resources"):
        words = rule.get(field, [])
        if not words:
            errors.append(required(f"{at}.{field}"))
        if len(words) > 1 and "*" in words:
            why = f"if '*' is present, must not specify other {_SINGULAR[field]}"
            errors.append(invalid_value(f"{at}.{field}", words, why))
    return errors


_SINGULAR = {"apiGroups": "API groups", "apiVersions": "API versions", "resources": "resources"}


def binding(value: Object) -> list[FieldError]:
    """Errors of a ValidatingAdmissionPolicyBinding."""
    spec = value.get("spec", {})
    name = spec.get("policyName", "")
    errors = names.subdomain("spec.policyName", name) if name else [required("spec.policyName")]
    if "paramRef" in spec:
        errors += _parameters(spec["paramRef"])
    if "matchResources" in spec:
        errors += _match_resources(spec["matchResources"], "spec.matchResources")
    return errors + _actions(spec.get("validationActions", []), "spec.validationActions")


def _parameters(reference: Object) -> list[FieldError]:
    at = "spec.paramRef"
    errors = []
    if reference.get("name") and "selector" in reference:
        errors.append(forbidden_field(f"{at}.name", "name and selector are mutually exclusive"))
    elif not reference.get("name") and "selector" not in reference:
        errors.append(required(at, "one of name or selector must be specified"))
    missing = reference.get("parameterNotFoundAction")
    if not missing:
        errors.append(required(f"{at}.parameterNotFoundAction"))
    elif missing not in _MISSING_PARAMETERS:
        errors.append(not_supported(f"{at}.parameterNotFoundAction", missing, _MISSING_PARAMETERS))
    return errors


def _actions(actions: list[str], at: str) -> list[FieldError]:
    errors = []
    for n, action in enumerate(actions):
        if action not in _ACTIONS:
            errors.append(not_supported(f"{at}[{n}]", action, _ACTIONS))
        if action in actions[:n]:
            errors.append(duplicate(f"{at}[{n}]", action))
    if {"Deny", "Warn"} <= set(actions):
        why = (
            "must not contain both Deny and Warn (repeating the same validation failure information in the "
            "API response and headers serves no purpose)"
        )
        errors.append(invalid_value(at, actions, why))
    if not actions:
        errors.append(required(at, "at least one validation action is required"))
    return errors
