"""Names of errors of HTTP/2 (RFC 9113, 7) and of gRPC's status codes (grpc.io, "Status Codes"). Pure."""

_ERRORS = (
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
)

GRPC_STATUS = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
"""By number."""


def error(code: int) -> str:
    """The name of an HTTP/2 error code."""
    return _ERRORS[code] if code < len(_ERRORS) else f"error {code}"


def grpc_status(value: bytes) -> int | None:
    """What a `grpc-status` header says; None when that is no number."""
    return int(value) if value.isdigit() and len(value) <= 4 else None  # noqa: PLR2004, of any code there is
