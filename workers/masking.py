"""What no log line may hold: tokens, passwords, and URLs that let whoever has them act. Pure."""

import re
from collections.abc import Iterable
from urllib.parse import quote

_MASK = "***"

# A shorter one would be found in any text; whoever has such a password has none.
_SHORTEST = 6

_PATTERNS = (
    # Slack's tokens: https://docs.slack.dev/authentication/tokens
    (re.compile(r"\bx(?:ox[a-z]|app|wfp)-[\w.-]{4,}"), _MASK),
    # user:password@ of any URL
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@\"']*):[^\s/@\"']+@", re.IGNORECASE), rf"\1:{_MASK}@"),
    # response URLs, incoming webhooks and upload URLs of Slack: who has one may write
    (
        re.compile(r"(https?://[^\s/\"']+/(?:commands|actions|services|workflows|upload/v1)/)[^\s\"'<>|\\]+"),
        rf"\1{_MASK}",
    ),
    # HTTP's Authorization and Cookie headers, as a dictionary or a header shows them
    (
        re.compile(
            r"(\b(?:authorization|cookie|set-cookie)\\?[\"']?\s*[:=]\s*\\?[\"']?)(?:(?:bearer|basic)\s+)?[^\s\"'\\,}]+",
            re.IGNORECASE,
        ),
        rf"\1{_MASK}",
    ),
    (re.compile(r"(\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1{_MASK}"),
    # secrets among a URL's parameters, also of URLs signed for S3, GCS and Azure
    (
        re.compile(
            r"((?<!\w)(?:x-amz-[a-z-]*|x-goog-[a-z-]*|sig|signature|token|access_token|client_secret|password)=)[^\s&\"'\\]+",
            re.IGNORECASE,
        ),
        rf"\1{_MASK}",
    ),
)


def mask(line: str, secrets: Iterable[str] = ()) -> str:
    """The line with `***` for every secret.

    Args:
        line: A line of a log, plain or JSON.
        secrets: Secrets known by their value, such as a password that a library may show anywhere.
    """
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            for shown in {secret, quote(secret, safe=""), repr(secret)[1:-1]}:
                line = line.replace(shown, _MASK)
    for pattern, masked in _PATTERNS:
        line = pattern.sub(masked, line)
    return line
