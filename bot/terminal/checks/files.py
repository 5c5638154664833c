"""Where capture files are kept, and the policy."""

from collections.abc import Iterator

from bot.terminal.checks.result import Result, for_slack, ok, problem, unset
from workers.place import PlaceError
from workers.policy.load import load as load_policy
from workers.policy.names import resolve
from workers.policy.rules import PolicyError
from workers.settings import Settings
from workers.slack.client import reading_client
from workers.slack.directory import SlackDirectory
from workers.slack.faults import faults_as_place_errors
from workers.store import Store


def store(settings: Settings) -> Iterator[Result]:
    """Writable: something is written and removed again."""
    if not for_slack(settings) and "store_url" not in settings.model_fields_set:
        yield unset("store")
        return
    try:
        Store(settings.store_url).probe()
    except ImportError as error:
        yield problem("store", f"PODCAP_STORE_URL: {error}: install that package.")
    except Exception as error:  # noqa: BLE001, every kind of store raises its own
        why = getattr(error, "strerror", None) or type(error).__name__
        yield problem("store", f"cannot be written to ({why}): correct PODCAP_STORE_URL or its rights.")
    else:
        yield ok("store", "a file was written and removed again")


def policy(settings: Settings) -> Iterator[Result]:
    """Readable, and with names that somebody bears."""
    if settings.policy is None:
        if for_slack(settings):
            yield problem("policy", "PODCAP_POLICY is not set, so nobody in Slack may capture: set it.")
        else:
            yield unset("policy", "headers only, wherever the kubeconfig may; `full` needs PODCAP_POLICY")
        return
    try:
        rules = load_policy(settings.policy)
    except PolicyError as error:
        yield problem("policy", "; ".join(error.lines) + ".")
        return
    told = f"{len(rules.rules)} rule{'' if len(rules.rules) == 1 else 's'}"
    if settings.slack_bot_token is None:
        yield ok("policy", f"{told}; names of Slack are not looked up")
        return
    try:
        with faults_as_place_errors():
            resolved = resolve(rules, SlackDirectory(reading_client(settings)))
    except PlaceError as error:
        yield problem("policy", f"its names cannot be looked up: {error}")
        return
    if resolved.unresolved:
        named = ", ".join(resolved.unresolved)
        yield problem("policy", f"nothing in Slack is called {named}: correct the names in the policy.")
        return
    yield ok("policy", told)
