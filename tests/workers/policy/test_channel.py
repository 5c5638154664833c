import dataclasses
from typing import Any

import pytest

from workers.policy.channel import Channel, payload_forbidden_in, refuse_channel

CHANNEL = Channel(
    id="C1",
    name="incidents",
    is_ext_shared=False,
    is_im=False,
    is_mpim=False,
    is_private=False,
    is_archived=False,
    is_member=True,
)


def test_a_channel_that_podcap_is_in_is_not_refused() -> None:
    assert refuse_channel(CHANNEL) is None
    assert refuse_channel(dataclasses.replace(CHANNEL, is_private=True)) is None
    assert payload_forbidden_in(CHANNEL) is None


@pytest.mark.parametrize(
    ("change", "what_to_do"),
    [
        ({"is_member": False}, "`/invite @podcap`"),
        ({"is_im": True, "is_member": False}, "ask in a channel"),
        ({"is_mpim": True}, "ask in a channel"),
        ({"is_archived": True, "is_member": False}, "ask in another one"),
    ],
)
def test_a_channel_that_podcap_cannot_work_in_has_its_sentence(
    change: dict[str, Any], what_to_do: str
) -> None:
    sentence = refuse_channel(dataclasses.replace(CHANNEL, **change))
    assert sentence
    assert what_to_do in sentence


def test_payload_never_goes_to_a_channel_shared_with_another_organization() -> None:
    shared = dataclasses.replace(CHANNEL, is_ext_shared=True)
    assert refuse_channel(shared) is None
    sentence = payload_forbidden_in(shared)
    assert sentence
    assert "without `full`" in sentence
