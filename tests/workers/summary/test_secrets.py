from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.workers.summary import spoken
from tests.workers.summary.told import everything, summary_of

ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
TOKENS = st.text(ALPHABET, min_size=20, max_size=40).filter(
    lambda text: any(each.isdigit() for each in text) and any(each.isalpha() for each in text)
)


@pytest.mark.parametrize("protocol", spoken.SECRETLY)
@settings(max_examples=examples(3), deadline=None)
@given(secret=TOKENS)
def test_a_planted_secret_is_in_no_output(protocol: str, secret: str) -> None:
    told = everything(spoken.SECRETLY[protocol](secret)).lower()
    assert secret.lower() not in told
    assert quote(secret).lower() not in told


@pytest.mark.parametrize("protocol", spoken.SECRETLY)
def test_where_secrets_are_planted_something_is_told(protocol: str) -> None:
    summary = summary_of(spoken.SECRETLY[protocol]("Ab1" * 8))
    assert summary.exchanges or summary.events
    assert len(summary.flows) >= 1
