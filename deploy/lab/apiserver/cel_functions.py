"""Functions that Kubernetes adds to CEL: quantities and sets."""

from typing import Any

from cel_expr_python import cel

from deploy.lab.apiserver import quantity

_BOOL, _INT, _LIST, _MAP, _STRING = (
    cel.Type.BOOL,
    cel.Type.INT,
    cel.Type.LIST,
    cel.Type.MAP,
    cel.Type.STRING,
)


def _parse(text: str) -> dict[str, str]:
    quantity.parse(text)
    return {"quantity": text}


def _is_quantity(text: str) -> bool:
    try:
        quantity.parse(text)
    except ValueError:
        return False
    return True


def _compare(one: dict[str, str], other: dict[str, str]) -> int:
    left, right = quantity.parse(one["quantity"]), quantity.parse(other["quantity"])
    return (left > right) - (left < right)


def _all_in(some: list[Any], every: list[Any]) -> bool:
    return all(one in every for one in some)


def _function(name: str, parameters: list[Any], result: Any, act: Any, *, member: bool = False) -> Any:
    overload = cel.Overload(f"lab_{name}", result, parameters, member, act)
    return cel.FunctionDecl(name, [overload])


FUNCTIONS = [
    _function("quantity", [_STRING], _MAP, _parse),
    _function("isQuantity", [_STRING], _BOOL, _is_quantity),
    _function("compareTo", [_MAP, _MAP], _INT, _compare, member=True),
    _function("isGreaterThan", [_MAP, _MAP], _BOOL, lambda a, b: _compare(a, b) > 0, member=True),
    _function("isLessThan", [_MAP, _MAP], _BOOL, lambda a, b: _compare(a, b) < 0, member=True),
    _function("sets.contains", [_LIST, _LIST], _BOOL, lambda a, b: _all_in(b, a)),
    _function("sets.intersects", [_LIST, _LIST], _BOOL, lambda a, b: any(one in b for one in a)),
    _function("sets.equivalent", [_LIST, _LIST], _BOOL, lambda a, b: _all_in(a, b) and _all_in(b, a)),
]
