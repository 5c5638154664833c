"""The time as the Kubernetes API writes it."""

from datetime import UTC, datetime


def now() -> str:
    """RFC 3339, in whole seconds."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
