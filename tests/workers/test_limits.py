import pytest

from workers.ledger.capture import Capture
from workers.ledger.states import State
from workers.limits import Limits
from workers.line import Held

CAPTURE = Capture(
    **dict.fromkeys(Capture.__dataclass_fields__)
    | {"id": "cap-7f3k9q", "state": State.QUEUED, "node": "k8s-node02", "cluster": "default"}
)  # type: ignore[arg-type]
LIMITS = Limits(user=1, channel=10, node=5, cluster=50, waiting=20)


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ("user", "you have 1 capture running, the most that one person may have at once"),
        ("channel", "this channel has 10 captures running, the most that one channel may have at once"),
        ("node", "node `k8s-node02` has 5 captures running, the most that one node may have at once"),
        ("cluster", "cluster `default` has 50 captures running, the most that one cluster may have at once"),
    ],
)
def test_each_limit_is_told_in_plain_words(limit: str, sentence: str) -> None:
    assert LIMITS.why(CAPTURE, Held(limit, 1, "k8s-node02"), user="you have") == sentence
