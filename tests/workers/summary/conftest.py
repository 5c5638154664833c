from pathlib import Path

import pytest

EVIDENCE = Path(__file__).parents[2] / "evidence"
RECORDED = sorted(EVIDENCE.glob("nodeport-*/*.pcap"))


@pytest.fixture(params=RECORDED, ids=lambda path: f"{path.parent.name}-{path.stem[-5:]}")
def recorded(request: pytest.FixtureRequest) -> Path:
    """Each capture that was recorded at a pod's veth of a real cluster."""
    path = request.param
    assert isinstance(path, Path)
    return path
