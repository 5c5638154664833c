"""What takes too long for `make test`: collected only where this folder, or a file in it, is named."""

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Whether a file here is left out."""
    named = [(config.invocation_params.dir / word.partition("::")[0]).resolve() for word in config.args]
    here = Path(__file__).parent
    if any(here == path or here in path.parents for path in named):
        return None
    return here in collection_path.parents
