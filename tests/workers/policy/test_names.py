from workers.policy.names import Named, resolve
from workers.policy.rules import NOBODY, Policy, policy_of


class Workspace:
    """A Directory of what it is given."""

    def __init__(self, **ids: str) -> None:
        self.ids = ids
        self.asked: list[str] = []

    def channel_id(self, name: str) -> str | None:
        return self._id(name)

    def usergroup_id(self, handle: str) -> str | None:
        return self._id(handle)

    def user_id(self, email: str) -> str | None:
        return self._id(email.partition("@")[0])

    def _id(self, name: str) -> str | None:
        self.asked.append(name)
        return self.ids.get(name)


def policy(**keys: list[str]) -> Policy:
    return policy_of({"rules": [keys]})


def test_names_of_channels_people_and_groups_become_ids() -> None:
    workspace = Workspace(incidents="C1", oncall="S1", alice="U1")
    resolved = resolve(policy(channels=["incidents"], users=["@oncall", "alice@example.com"]), workspace)
    (rule,) = resolved.rules
    assert (rule.channel_ids, rule.usergroup_ids, rule.user_ids) == (("C1",), ("S1",), ("U1",))
    assert resolved.usergroup_ids == {"S1"}
    assert resolved.unresolved == ()
    assert resolved.is_set


def test_ids_stay_as_they_are_and_nobody_is_asked_for_them() -> None:
    workspace = Workspace()
    (rule,) = resolve(policy(channels=["C024BE91L"], users=["U024BE91L"]), workspace).rules
    assert (rule.channel_ids, rule.user_ids, workspace.asked) == (("C024BE91L",), ("U024BE91L",), [])


def test_a_name_that_nothing_bears_is_listed_and_matches_nothing() -> None:
    workspace = Workspace(ops="C2")
    resolved = resolve(policy(channels=["gone", "ops"], users=["@gone", "gone@example.com"]), workspace)
    (rule,) = resolved.rules
    assert (rule.channel_ids, rule.usergroup_ids, rule.user_ids) == (("C2",), (), ())
    assert resolved.unresolved == ("gone", "@gone", "gone@example.com")


def test_a_channel_and_a_group_of_the_same_name_are_two_names() -> None:
    workspace = Workspace(oncall="X1")
    (rule,) = resolve(policy(channels=["oncall"], users=["@oncall"]), workspace).rules
    assert workspace.asked == ["oncall", "oncall"]
    assert rule.user_ids == ()


def test_a_name_in_many_rules_is_asked_for_once() -> None:
    workspace = Workspace(incidents="C1")
    resolve(policy_of({"rules": [{"channels": ["incidents"]}] * 3}), workspace)
    assert workspace.asked == ["incidents"]


def test_keys_that_are_left_out_stay_open_to_any() -> None:
    (rule,) = resolve(policy(), Workspace()).rules
    assert (rule.channel_ids, rule.user_ids, rule.usergroup_ids, rule.namespaces) == (None, None, None, None)


def test_no_policy_stays_none() -> None:
    assert not resolve(NOBODY, Workspace()).is_set


def test_names_below_audit_become_ids_too_and_their_groups_are_asked_for() -> None:
    document = {"rules": [], "audit": [{"channels": ["security"], "users": ["@auditors"]}]}
    resolved = resolve(policy_of(document), Workspace(security="C9", auditors="S9"))
    assert resolved.audit == (Named(("C9",), (), ("S9",)),)
    assert resolved.usergroup_ids == {"S9"}
