from hypothesis import given
from hypothesis import strategies as st

from workers.cluster.suggest import did_you_mean, suggest

PODS = [
    "cheddar-845749dbd6-5hfjj",
    "cheddar-845749dbd6-f7d7z",
    "cheddar-845749dbd6-zcdjm",
    "stilton-6b9f8c5d4-qqqqq",
    "dns",
]
names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


def test_a_deployments_name_means_each_of_its_pods() -> None:
    assert set(suggest("cheddar", PODS)) == set(PODS[:3])


def test_a_pod_that_was_replaced_means_its_replica_sets_others() -> None:
    assert set(suggest("cheddar-845749dbd6-xxxxx", PODS)) == set(PODS[:3])


def test_a_pod_of_an_older_replica_set_means_its_deployments_pods() -> None:
    assert set(suggest("cheddar-111111111-xxxxx", PODS)) == set(PODS[:3])


def test_the_last_five_letters_are_enough() -> None:
    assert suggest("zcdjm", PODS) == ("cheddar-845749dbd6-zcdjm",)


def test_a_slip_of_the_finger_is_found() -> None:
    assert suggest("cheddar-845749dbd6-zcdjn", PODS)[0] == "cheddar-845749dbd6-zcdjm"
    assert suggest("trafeik", ["traefik", "kube-system", "default"]) == ("traefik",)


def test_nothing_near_is_not_suggested() -> None:
    assert suggest("zzzzzzzz", PODS) == ()
    assert did_you_mean("zzzzzzzz", PODS) == ""


def test_the_question_joins_names_as_a_sentence_does() -> None:
    assert did_you_mean("dnss", ["dns"]) == " Did you mean dns?"
    assert did_you_mean("a", ["a-1", "a-2", "a-3"]) == " Did you mean a-1, a-2 or a-3?"


@given(names, st.lists(names))
def test_only_names_that_exist_are_suggested_and_never_more_than_asked_for(
    wanted: str, existing: list[str]
) -> None:
    found = suggest(wanted, existing, limit=2)
    assert set(found) <= set(existing)
    assert len(found) == len(set(found)) <= 2


@given(names, st.lists(names))
def test_the_order_of_the_names_does_not_matter(wanted: str, existing: list[str]) -> None:
    assert suggest(wanted, existing) == suggest(wanted, reversed(existing))
