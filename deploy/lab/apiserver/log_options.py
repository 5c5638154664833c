"""What may be asked of a log: `PodLogOptions`, as the API server checks them. Pure.

The rules and words are those of ValidatePodLogOptions (kubernetes, pkg/apis/core/validation). What a query
cannot be read as is refused before.
"""

import re
from collections.abc import Iterator, Mapping

from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.status import FieldError, bad_request, forbidden_field, invalid, invalid_value

_OPTIONS = Resource("podlogoptions", "PodLogOptions", "V1Pod")
_NUMBERS = ("tailLines", "sinceSeconds", "limitBytes")
_PASSED_ON = ("follow", "timestamps", "previous")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)")


def log_options(name: str, query: Mapping[str, str]) -> dict[str, str]:
    """What the kubelet is asked, of what a client asks; a time is passed on in whole seconds.

    Raises:
        ApiError: 400 or 422 in Kubernetes' words.
    """
    numbers = {key: _number(query[key]) for key in _NUMBERS if query.get(key)}
    since = _time(query["sinceTime"]) if query.get("sinceTime") else ""
    errors = list(_errors(numbers, since))
    if errors:
        raise invalid(_OPTIONS, name, errors)
    asked = {key: query[key] for key in _PASSED_ON if query.get(key)}
    asked |= {key: str(value) for key, value in numbers.items()}
    return asked | ({"sinceTime": since} if since else {})


def _errors(numbers: Mapping[str, int], since: str) -> Iterator[FieldError]:
    if numbers.get("tailLines", 0) < 0:
        yield invalid_value("tailLines", numbers["tailLines"], "must be greater than or equal to 0")
    if numbers.get("limitBytes", 1) < 1:
        yield invalid_value("limitBytes", numbers["limitBytes"], "must be greater than 0")
    if since and "sinceSeconds" in numbers:
        yield forbidden_field("", "at most one of `sinceTime` or `sinceSeconds` may be specified")
    elif numbers.get("sinceSeconds", 1) < 1:
        yield invalid_value("sinceSeconds", numbers["sinceSeconds"], "must be greater than 0")


def _number(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def _time(text: str) -> str:
    found = _TIME.fullmatch(text)
    if found is None:
        raise bad_request(
            f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{text}" as "2006"'
        )
    return found[1] + found[2]
