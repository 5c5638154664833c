"""What a label selector inside an object may hold (`metav1.LabelSelector`)."""

from deploy.lab.apiserver import names
from deploy.lab.apiserver.status import FieldError, Object, forbidden_field, invalid_value, required

_WITH_VALUES = frozenset({"In", "NotIn"})
_WITHOUT_VALUES = frozenset({"Exists", "DoesNotExist"})


def label_selector(selector: Object | None, at: str) -> list[FieldError]:
    """Errors of a selector; None has none."""
    if selector is None:
        return []
    errors = names.labels(f"{at}.matchLabels", selector.get("matchLabels", {}))
    for n, expression in enumerate(selector.get("matchExpressions", [])):
        errors += _expression(expression, f"{at}.matchExpressions[{n}]")
    return errors


def _expression(expression: Object, at: str) -> list[FieldError]:
    operator, values = expression.get("operator", ""), expression.get("values", [])
    errors = []
    if operator in _WITH_VALUES:
        if not values:
            why = "must be specified when `operator` is 'In' or 'NotIn'"
            errors.append(required(f"{at}.values", why))
    elif operator in _WITHOUT_VALUES:
        if values:
            why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            errors.append(forbidden_field(f"{at}.values", why))
    else:
        errors.append(invalid_value(f"{at}.operator", operator, "not a valid selector operator"))
    return errors + names.label_key(f"{at}.key", expression.get("key", ""))
