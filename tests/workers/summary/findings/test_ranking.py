"""The order of findings, and how many are shown."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from workers.summary.finding import Finding, Severity
from workers.summary.findings.ranking import MOST, MOST_OF_A_KIND, ranked

_SEVERITIES: list[Severity] = ["critical", "warning", "info"]
_FINDINGS = st.lists(
    st.builds(
        Finding,
        st.sampled_from(["refused", "reset", "mtu"]),
        st.sampled_from(_SEVERITIES),
        st.just("x"),
        st.fixed_dictionaries({"times": st.integers(1, 9), "clients": st.integers(0, 3)}),
    ),
    max_size=60,
)


@settings(max_examples=examples(50), deadline=None)
@given(_FINDINGS)
def test_the_gravest_come_first_and_whatever_is_left_out_is_counted(findings: list[Finding]) -> None:
    shown = ranked(findings)
    rest = [each for each in shown if each.id == "more"]
    order = [_SEVERITIES.index(each.severity) for each in shown]
    assert order == sorted(order)
    assert len(shown) <= MOST + 1
    left = sum(int(each.numbers["left_out"]) for each in rest)
    assert len(shown) - len(rest) + left == len(findings)


def test_of_equal_severity_what_touches_more_clients_comes_first_then_what_happens_more_often() -> None:
    few, many, often = (
        Finding("refused", "warning", "x", {"clients": clients, "times": times})
        for clients, times in ((1, 5), (4, 5), (1, 500))
    )
    assert ranked([few, often, many]) == (many, often, few)


def test_a_hundred_of_a_kind_are_one_piece_of_news() -> None:
    *shown, more = ranked(Finding("refused", "critical", str(port)) for port in range(100))
    assert len(shown) == MOST_OF_A_KIND
    assert more.sentence == "Besides these there are 95 findings more: 95 of `refused`."
