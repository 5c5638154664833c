"""What an Event may hold, in the words of Kubernetes' validation (pkg/apis/core/validation/events.go)."""

from deploy.lab.apiserver import names
from deploy.lab.apiserver.status import FieldError, Object, invalid_value, required

_LONGEST_WORD, _LONGEST_MESSAGE = 128, 1024
_TYPES = frozenset({"Normal", "Warning"})


def event(value: Object) -> list[FieldError]:
    """Errors of a `v1` Event. One with an `eventTime` has to say who reports."""
    errors = _place(value)
    return errors + (_reported(value, "reportingComponent") if value.get("eventTime") else [])


def newer(value: Object) -> list[FieldError]:
    """Errors of an Event that was written as `events.k8s.io/v1`.

    Args:
        value: In the form of `v1`, with its defaults.
    """
    errors = [] if value.get("eventTime") else [required("eventTime")]
    errors += _place(value) + _reported(value, "reportingController")
    kind = value.get("type", "")
    if kind not in _TYPES:
        errors.append(invalid_value("type", "", f"has invalid value: {kind}"))
    errors += [
        invalid_value(field, "", "needs to be unset")
        for field in ("firstTimestamp", "lastTimestamp", "count", "source")
        if value.get(field)
    ]
    return errors


def _place(value: Object) -> list[FieldError]:
    named = value.get("involvedObject", {}).get("namespace", "")
    # An event about a cluster-wide object is kept in `default`.
    if (named or "default") != value["metadata"].get("namespace"):
        return [invalid_value("involvedObject.namespace", named, "does not match event.namespace")]
    return []


def _reported(value: Object, controller: str) -> list[FieldError]:
    name = value.get("reportingComponent", "")
    errors = names.label_key(controller, name) if name else [required(controller)]
    for field in ("reportingInstance", "action", "reason"):
        word = value.get(field, "")
        if not word:
            errors.append(required(field))
        elif len(word) > _LONGEST_WORD:
            errors.append(invalid_value(field, "", f"can have at most {_LONGEST_WORD} characters"))
    if len(value.get("message", "").encode()) > _LONGEST_MESSAGE:
        errors.append(invalid_value("message", "", f"can have at most {_LONGEST_MESSAGE} characters"))
    return errors
