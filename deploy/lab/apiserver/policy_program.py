"""A ValidatingAdmissionPolicy's expressions, compiled."""

import json
from dataclasses import dataclass, field
from functools import lru_cache

from deploy.lab.apiserver.cel import CompileError, Environment, Names, Program
from deploy.lab.apiserver.status import FieldError, Object, invalid_value

_BOOL, _STRING, _TEXT = ("BOOL",), ("STRING",), ("STRING", "NULL")


@dataclass
class Compiled:
    """The programs of one policy.

    Attributes:
        conditions: Name and program of each.
        variables: Likewise, in their order.
        validations: With each its `messageExpression`, and the validation as it was written.
        errors: What does not compile; its program is missing then.
    """

    conditions: list[tuple[str, Program]] = field(default_factory=list)
    variables: list[tuple[str, Program]] = field(default_factory=list)
    validations: list[tuple[Program, Program | None, Object]] = field(default_factory=list)
    errors: list[FieldError] = field(default_factory=list)

    def program(self, environment: Environment, at: str, text: str, kinds: Names = ()) -> Program | None:
        """Compiles one expression; notes it when it does not."""
        try:
            return environment.compile(text, kinds)
        except CompileError as error:
            self.errors.append(invalid_value(at, text, str(error)))
            return None


def compiled(spec: Object) -> Compiled:
    """Compiles the spec of a policy that is valid otherwise, or remembers having done so."""
    return _compiled(json.dumps(spec, sort_keys=True))


@lru_cache(maxsize=256)
def _compiled(text: str) -> Compiled:
    spec = json.loads(text)
    found = Compiled()
    # Conditions are looked at first: to them, there are no variables.
    bare, whole = (Environment(parameters="paramKind" in spec) for _ in range(2))
    for n, one in enumerate(spec.get("matchConditions", [])):
        at = f"spec.matchConditions[{n}].expression"
        if program := found.program(bare, at, one["expression"], _BOOL):
            found.conditions.append((one["name"], program))
    for n, one in enumerate(spec.get("variables", [])):
        if program := found.program(whole, f"spec.variables[{n}].expression", one["expression"]):
            found.variables.append((one["name"], program))
            whole.declare(one["name"], program)
    for n, one in enumerate(spec.get("validations", [])):
        at = f"spec.validations[{n}]"
        message = None
        if expression := one.get("messageExpression"):
            message = found.program(whole, f"{at}.messageExpression", expression, _STRING)
        if program := found.program(whole, f"{at}.expression", one["expression"], _BOOL):
            found.validations.append((program, message, one))
    for n, one in enumerate(spec.get("auditAnnotations", [])):
        found.program(whole, f"spec.auditAnnotations[{n}].valueExpression", one["valueExpression"], _TEXT)
    return found
