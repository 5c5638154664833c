"""Status bodies: how Kubernetes says no (`metav1.Status`), and the errors that carry them."""

from dataclasses import dataclass
from typing import Any

from deploy.lab.apiserver.resource import Resource

Object = dict[str, Any]


class ApiError(Exception):
    """A refusal. `body` is its Status, `code` its HTTP status, `headers` are sent with it."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Object | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.headers = headers or {}
        self.body: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
        }
        if reason:
            self.body["reason"] = reason
        if details is not None:
            self.body["details"] = details
        self.body["code"] = code


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field.

    Attributes:
        reason: `FieldValueRequired`, `FieldValueInvalid` and so on.
        field: Its path, such as `spec.containers[0].name`.
        message: The sentence without the path.
    """

    reason: str
    field: str
    message: str


def required(field: str, detail: str = "") -> FieldError:
    """The field must be there."""
    return FieldError(
        "FieldValueRequired", field, f"Required value: {detail}" if detail else "Required value"
    )


def invalid_value(field: str, value: Any, detail: str) -> FieldError:
    """The field holds something it may not hold."""
    return FieldError("FieldValueInvalid", field, f"Invalid value: {_shown(value)}: {detail}")


def not_supported(field: str, value: Any, supported: tuple[str, ...]) -> FieldError:
    """The field holds none of the words it may hold."""
    words = ", ".join(f'"{word}"' for word in supported)
    return FieldError(
        "FieldValueNotSupported", field, f"Unsupported value: {_shown(value)}: supported values: {words}"
    )


def duplicate(field: str, value: Any) -> FieldError:
    """The value occurs twice where it must be unique."""
    return FieldError("FieldValueDuplicate", field, f"Duplicate value: {_shown(value)}")


def forbidden_field(field: str, detail: str) -> FieldError:
    """The field may not be set or changed here."""
    return FieldError("FieldValueForbidden", field, f"Forbidden: {detail}")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def invalid(resource: Resource, name: str, errors: list[FieldError]) -> ApiError:
    """422: the object is understood and not allowed."""
    texts = [f"{error.field}: {error.message}" for error in errors]
    joined = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    details: Object = {"name": name} if name else {}
    if resource.group:
        details["group"] = resource.group
    details["kind"] = resource.kind
    details["causes"] = [{"reason": e.reason, "message": e.message, "field": e.field} for e in errors]
    return ApiError(422, "Invalid", f'{resource.qualified_kind} "{name}" is invalid: {joined}', details)


def _about(resource: Resource, name: str) -> Object:
    details: Object = {"name": name} if name else {}
    if resource.group:
        details["group"] = resource.group
    return details | {"kind": resource.plural}


def not_found(resource: Resource, name: str) -> ApiError:
    """404: no such object."""
    return ApiError(404, "NotFound", f'{resource.qualified} "{name}" not found', _about(resource, name))


def already_exists(resource: Resource, name: str, being_deleted: bool = False) -> ApiError:
    """409: the name is taken."""
    prefix = "object is being deleted: " if being_deleted else ""
    message = f'{prefix}{resource.qualified} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, _about(resource, name))


def conflict(resource: Resource, name: str, why: str = "") -> ApiError:
    """409: the object is not what the client thought it to be."""
    why = why or (
        "the object has been modified; please apply your changes to the latest version and try again"
    )
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return ApiError(409, "Conflict", message, _about(resource, name))


def forbidden(resource: Resource, name: str, why: str) -> ApiError:
    """403 by admission: the request is allowed, its content is not."""
    subject = f'{resource.qualified} "{name}"' if name else resource.qualified
    return ApiError(403, "Forbidden", f"{subject} is forbidden: {why}", _about(resource, name))


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(400, "BadRequest", message)


def unauthorized() -> ApiError:
    """401: nobody known asked."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def no_such_resource() -> ApiError:
    """404: nothing of that name is served in this group."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def method_not_allowed() -> ApiError:
    """405."""
    return ApiError(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {}
    )


def unsupported_media_type(accepted: tuple[str, ...]) -> ApiError:
    """415."""
    words = ", ".join(accepted)
    message = f"the body of the request was in an unknown format - accepted media types include: {words}"
    return ApiError(415, "UnsupportedMediaType", message)


def not_acceptable(accepted: tuple[str, ...]) -> ApiError:
    """406."""
    words = ", ".join(accepted)
    return ApiError(406, "NotAcceptable", f"only the following media types are accepted: {words}")


def expired(message: str) -> ApiError:
    """410: the resource version is too old to go on from."""
    return ApiError(410, "Expired", message)


def internal(message: str) -> ApiError:
    """500."""
    details = {"causes": [{"message": message}]}
    return ApiError(500, "InternalError", f"Internal error occurred: {message}", details)


def unspecific(message: str) -> ApiError:
    """500 without a reason: how the API server passes on that it could not reach a kubelet."""
    return ApiError(500, "", message)


def deleted(resource: Resource, name: str, uid: str) -> Object:
    """The Status of a successful DELETE."""
    details = _about(resource, name) | {"uid": uid}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details,
    }
