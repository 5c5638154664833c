"""Whether the store has room for one more file, and what to say when it has not."""

from workers.services import Services
from workers.thread.words import size

LARGEST_FILE = 256 << 20
"""The most that one capture writes on its node, and so the most that is stored and uploaded of it."""


def refuse_full_store(services: Services) -> str | None:
    """Why no capture may begin now, in one sentence; None when there is room, or nothing is stored.

    The ledger knows the size of every file, and what a worker last saw of the disk: nothing is listed, and
    a bot that has not mounted the store knows it all the same.
    """
    if services.store is None:
        return None
    limit = services.settings.store_limit
    if limit is not None and services.ledger.archive.stored_bytes() >= limit:
        return (
            f"podcap's store is full: it holds the {size(limit)} that PODCAP_STORE_LIMIT allows. "
            "Whoever runs podcap removes files (`podcap delete`) or raises the limit; then ask again."
        )
    free = services.ledger.archive.free_bytes()
    if free is not None and free < LARGEST_FILE:
        return (
            f"The disk of podcap's store is full: {size(free)} are left, and a capture may need "
            f"{size(LARGEST_FILE)}. Whoever runs podcap makes room there; then ask again."
        )
    return None


def measure(services: Services) -> None:
    """Writes down what the store's disk has left, for those who cannot look; where the store is mounted."""
    if services.store is not None:
        services.ledger.archive.note_free(services.store.free_bytes())


def has_room(services: Services, bytes_: int) -> bool:
    """Whether a file of this size still fits below PODCAP_STORE_LIMIT."""
    limit = services.settings.store_limit
    return limit is None or services.ledger.archive.stored_bytes() + bytes_ <= limit
