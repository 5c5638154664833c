"""The Common Expression Language as admission policies speak it: compile with types, then evaluate.

Known are the standard functions, optionals (`.?`, `orValue`), the extended string functions, and of
Kubernetes' own libraries quantities and sets. Not known: `authorizer`, `url`, `ip`, `cidr`, and the functions
for lists and regular expressions; an expression with them is refused as one that does not compile.
`request` and `namespaceObject` have no declared fields: a misspelt one is found when the policy is evaluated.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_optional, ext_strings

from deploy.lab.apiserver.cel_functions import FUNCTIONS

INPUTS = ("object", "oldObject", "request", "namespaceObject")
"""What every expression may name, besides variables and parameters."""

_MISSING_KEY = re.compile(r'Key not found in map : "(.*)"')
_UNSET = re.compile(r'No value with name "variables\.(\w+)"')
_OPTIONAL = "optional_type"
Names = tuple[str, ...]


class CompileError(Exception):
    """The expression is no CEL, names what is not there, or cannot have the type it must have."""


class EvaluationError(Exception):
    """The expression came to no value."""


@dataclass(frozen=True)
class Program:
    """A compiled expression.

    Attributes:
        kind: The type of its value, such as `BOOL`, `STRING`, `DYN`.
    """

    source: str
    kind: str
    compiled: Any

    @property
    def is_optional(self) -> bool:
        """Whether it may have no value; such values cannot be handed from one expression to another."""
        return self.kind.startswith(_OPTIONAL)

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """The value as JSON.

        Args:
            values: Of the names that were declared; an expression that uses one left out fails.

        Raises:
            EvaluationError: In the API server's words.
        """
        try:
            result = self.compiled.eval(data=dict(values))
            value = result.plain_value()
        except (RuntimeError, TypeError, AssertionError) as error:
            raise EvaluationError(str(error)) from None
        if result.type() == cel.Type.ERROR:
            raise EvaluationError(_worded(str(value)))
        return value


def _worded(error: str) -> str:
    if found := _MISSING_KEY.search(error):
        return f"no such key: {found[1]}"
    if found := _UNSET.search(error):
        return f'composited variable "{found[1]}" fails to evaluate'
    return error.partition(": ")[2] or error


class Environment:
    """What expressions of one policy may name; its variables are added one by one.

    Args:
        parameters: Whether the policy takes any.
    """

    def __init__(self, *, parameters: bool) -> None:
        self._names = dict.fromkeys((*INPUTS, *(("params",) if parameters else ())), cel.Type.DYN)
        self._inlined: dict[str, str] = {}

    def declare(self, name: str, program: Program) -> None:
        """Adds a variable."""
        if program.is_optional:
            self._inlined[name] = f"({program.source})"
        else:
            self._names[f"variables.{name}"] = program.compiled.return_type()

    def compile(self, expression: str, kinds: Names = ()) -> Program:
        """Compiles an expression.

        Args:
            expression: Its text.
            kinds: The types it may have; empty for any.

        Raises:
            CompileError: In the API server's words.
        """
        source = expression
        for name, text in self._inlined.items():
            source = re.sub(rf"\bvariables\.{name}\b", lambda _: text, source)  # noqa: B023 - called at once
        try:
            compiled = self._environment().compile(source)
        except RuntimeError as error:
            text = str(error).removeprefix("INVALID_ARGUMENT: ").removesuffix(" [INVALID_ARGUMENT]")
            raise CompileError(f"compilation failed: {text}") from None
        kind = compiled.return_type().name()
        if kinds and kind not in kinds:
            words = [word.lower() for word in kinds]
            wanted = words[0] if len(words) == 1 else f"one of [{' '.join(words)}]"
            raise CompileError(f"must evaluate to {wanted} but got {kind.lower()}")
        return Program(source, kind, compiled)

    def _environment(self) -> Any:
        extensions = [ext_optional.ExtOptional(), ext_strings.ExtStrings()]
        return cel.NewEnv(variables=self._names, extensions=extensions, functions=FUNCTIONS)
