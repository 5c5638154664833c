from tests.workers.summary.conftest import nothing_is_left, recorded

__all__ = ["nothing_is_left", "recorded"]
