"""ValidatingAdmissionPolicies: what the cluster's own rules, written in CEL, have against a request."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deploy.lab.apiserver.attributes import Attributes
from deploy.lab.apiserver.cel import EvaluationError, Program
from deploy.lab.apiserver.policy_match import matches
from deploy.lab.apiserver.policy_program import Compiled, compiled
from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.resources import NAMESPACES, POLICIES, POLICYBINDINGS, of_kind
from deploy.lab.apiserver.status import ApiError, Object, forbidden
from deploy.lab.apiserver.store import Store

_CODES = {"Invalid": 422, "Forbidden": 403, "RequestEntityTooLarge": 413}
_LONGEST_MESSAGE = 5 << 10


@dataclass(frozen=True)
class Denial:
    """One thing a policy has against a request."""

    message: str
    reason: str = "Invalid"


def check(store: Store, asked: Attributes) -> None:
    """Asks every policy that has a binding. What a binding only warns of is added to the asker's warnings.

    Raises:
        ApiError: The first denial, 422 unless the validation gives another reason.
    """
    if asked.resource in (POLICIES, POLICYBINDINGS):
        return  # They could lock everybody out of changing them.
    namespace = store.get(NAMESPACES, "", asked.namespace) if asked.namespace else None
    bindings = store.objects(POLICYBINDINGS)
    refused: list[ApiError] = []
    for policy in store.objects(POLICIES) if bindings else ():
        name = policy["metadata"]["name"]
        if not matches(policy["spec"]["matchConstraints"], asked, namespace):
            continue
        for binding in bindings:
            spec = binding["spec"]
            match = spec.get("matchResources")
            if spec["policyName"] != name or (match and not matches(match, asked, namespace)):
                continue
            for denial in _denials(store, policy, binding, asked, namespace):
                refused += _act(policy, binding, asked, denial)
    if refused:
        raise refused[0]


def _act(policy: Object, binding: Object, asked: Attributes, denial: Denial) -> list[ApiError]:
    where = f"ValidatingAdmissionPolicy '{policy['metadata']['name']}'"
    where += f" with binding '{binding['metadata']['name']}'"
    actions = binding["spec"]["validationActions"]
    if "Warn" in actions:
        asked.asker.warnings.append(f"Validation failed for {where}: {denial.message}")
    return [_refusal(asked, denial, where)] if "Deny" in actions else []


def _refusal(asked: Attributes, denial: Denial, where: str) -> ApiError:
    message = f"{where} denied request: {denial.message}"
    error = forbidden(asked.resource, asked.name, message)
    error.code = error.body["code"] = _CODES[denial.reason]
    error.body["reason"] = denial.reason
    error.body["details"]["causes"] = [{"message": message}]
    return error


def _denials(
    store: Store, policy: Object, binding: Object, asked: Attributes, namespace: Object | None
) -> Iterator[Denial]:
    spec = policy["spec"]
    programs = compiled(spec)
    inputs: dict[str, Any] = {
        "object": asked.value,
        "oldObject": asked.old,
        "request": asked.request,
        "namespaceObject": namespace,
    }
    fails = spec["failurePolicy"] == "Fail"
    try:
        for parameters in _parameters(store, spec, binding, asked.namespace):
            if _applies(programs, inputs | parameters):
                yield from _validate(programs, inputs | parameters, fails=fails)
    except EvaluationError as error:
        if fails:
            yield Denial(str(error))


def _parameters(store: Store, spec: Object, binding: Object, namespace: str) -> list[Object]:
    """`params` for each object that the binding's `paramRef` names; one empty set for a policy without.

    Raises:
        EvaluationError: There is none and the binding says that this denies.
    """
    kind, reference = spec.get("paramKind"), binding["spec"].get("paramRef")
    if kind is None:
        return [{}]
    if reference is None:
        return [{"params": None}]
    resource = of_kind(kind["apiVersion"], kind["kind"])
    found = _referred(store, resource, reference, namespace) if resource else None
    if found is None and reference["parameterNotFoundAction"] == "Deny":
        raise EvaluationError(
            "failed to configure binding: no params found for policy binding with `Deny` "
            "parameterNotFoundAction"
        )
    return [] if found is None else [{"params": found}]


def _referred(store: Store, resource: Resource, reference: Object, namespace: str) -> Object | None:
    where = reference.get("namespace", namespace) if resource.namespaced else ""
    return store.get(resource, where, reference.get("name", ""))


def _applies(programs: Compiled, values: Object) -> bool:
    """Whether all conditions are met. One that fails decides only when none of the others says no."""
    failure: EvaluationError | None = None
    for _, program in programs.conditions:
        try:
            if not program.evaluate(values):
                return False
        except EvaluationError as error:
            failure = _about(program, error)
    if failure:
        raise failure
    return True


def _validate(programs: Compiled, values: Object, *, fails: bool) -> Iterator[Denial]:
    for name, program in programs.variables:
        if program.is_optional:
            continue
        try:
            values[f"variables.{name}"] = program.evaluate(values)
        except EvaluationError:
            continue  # It fails the validations that use it.
    for program, message, validation in programs.validations:
        try:
            good = program.evaluate(values)
        except EvaluationError as error:
            if fails:
                yield Denial(str(_about(program, error)))
            continue
        if not good:
            text = _spoken(message, values) or validation.get("message", "").strip()
            text = text or f"failed expression: {validation['expression'].strip()}"
            yield Denial(text, validation.get("reason", "Invalid"))


def _about(program: Program, error: EvaluationError) -> EvaluationError:
    return EvaluationError(f"expression '{program.source}' resulted in error: {error}")


def _spoken(message: Program | None, values: Object) -> str:
    """What a `messageExpression` says; empty when it fails or says nothing that fits a line."""
    if message is None:
        return ""
    try:
        text = str(message.evaluate(values)).strip()
    except EvaluationError:
        return ""
    return "" if "\n" in text or len(text) > _LONGEST_MESSAGE else text
