import time

from slack_sdk.signature import SignatureVerifier

from deploy.lab.slack.signing import headers

_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


def test_the_signature_is_the_one_that_slack_documents() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
        b"%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    assert headers(_SECRET, 1531420618, body)["X-Slack-Signature"] == (
        "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    )


def test_slacks_own_verifier_takes_the_headers() -> None:
    body = b"text=a+%26amp%3B+b"
    assert SignatureVerifier(_SECRET).is_valid_request(body, headers(_SECRET, int(time.time()), body))


def test_slacks_own_verifier_refuses_another_body() -> None:
    signed = headers(_SECRET, int(time.time()), b"text=a")
    assert not SignatureVerifier(_SECRET).is_valid_request(b"text=b", signed)
