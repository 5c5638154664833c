import pytest

from deploy.lab.apiserver.log_options import log_options
from deploy.lab.apiserver.status import ApiError


def test_what_the_kubelet_is_asked_is_what_was_asked_in_whole_seconds() -> None:
    query = {
        "container": "web",
        "timestamps": "true",
        "sinceTime": "2026-11-23T19:20:00.987654321Z",
        "limitBytes": "1048576",
        "pretty": "true",
    }
    assert log_options("web", query) == {
        "timestamps": "true",
        "limitBytes": "1048576",
        "sinceTime": "2026-11-23T19:20:00Z",
    }


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"limitBytes": "0"}, "limitBytes: Invalid value: 0: must be greater than 0"),
        ({"tailLines": "-1"}, "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ({"sinceSeconds": "0"}, "sinceSeconds: Invalid value: 0: must be greater than 0"),
        (
            {"sinceSeconds": "5", "sinceTime": "2026-11-23T19:20:00Z"},
            ": Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified",
        ),
    ],
)
def test_options_that_are_not_allowed_are_refused_in_kubernetes_words(
    query: dict[str, str], said: str
) -> None:
    with pytest.raises(ApiError) as refused:
        log_options("web", query)
    assert (refused.value.code, refused.value.body["reason"]) == (422, "Invalid")
    assert refused.value.body["message"] == f'PodLogOptions "web" is invalid: {said}'


@pytest.mark.parametrize("query", [{"limitBytes": "many"}, {"sinceTime": "yesterday"}])
def test_options_that_cannot_be_read_are_a_bad_request(query: dict[str, str]) -> None:
    with pytest.raises(ApiError) as refused:
        log_options("web", query)
    assert refused.value.code == 400
