"""Who is asking, and may they: certificates, tokens, RBAC, impersonation, Pod Security."""

from collections.abc import Callable
from typing import Any

import pytest

PODS = "/api/v1/namespaces/traefik/pods"
AUTHENTICATION = "/apis/authentication.k8s.io/v1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


def pod(name: str, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "web", "image": "busybox:1.35"}]
    metadata = {"name": name}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": containers, **spec},
    }


@pytest.fixture
def grant(admin: Any) -> Callable[..., None]:
    """Gives a service account of namespace `traefik` rules there."""

    def give(account: str, *rules: dict[str, Any]) -> None:
        admin.post("/api/v1/namespaces/traefik/serviceaccounts", {"metadata": {"name": account}})
        role = {"metadata": {"name": account}, "rules": list(rules)}
        assert admin.post(f"{RBAC}/namespaces/traefik/roles", role).code == 201
        binding = {
            "metadata": {"name": account},
            "roleRef": {"kind": "Role", "name": account},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": "traefik"}],
        }
        assert admin.post(f"{RBAC}/namespaces/traefik/rolebindings", binding).code == 201

    return give


def rule(resources: list[str], verbs: list[str], **more: Any) -> dict[str, Any]:
    return {"apiGroups": [""], "resources": resources, "verbs": verbs, **more}


def test_nobody_known_is_unauthorized(shared: Any, admin: Any) -> None:
    anonymous = type(admin)(shared.kubeconfig, "not-a-token")

    answer = anonymous.get(PODS)

    assert answer.code == 401
    assert {key: answer.body[key] for key in ("message", "reason", "code")} == {
        "message": "Unauthorized",
        "reason": "Unauthorized",
        "code": 401,
    }


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_health_needs_nobody(shared: Any, admin: Any, path: str) -> None:
    answer = type(admin)(shared.kubeconfig, "not-a-token").get(path)

    assert (answer.code, answer.body) == (200, b"ok")


def test_a_token_of_a_deleted_service_account_is_worth_nothing(shared: Any, admin: Any) -> None:
    path = "/api/v1/namespaces/traefik/serviceaccounts"
    admin.post(path, {"metadata": {"name": "short-lived"}})
    account = shared.account("traefik", "short-lived")
    assert account.get("/version").code == 200

    admin.delete(f"{path}/short-lived")
    admin.post(path, {"metadata": {"name": "short-lived"}})

    assert account.get("/version").code == 401


def test_a_changed_token_is_worth_nothing(shared: Any, admin: Any) -> None:
    path = "/api/v1/namespaces/traefik/serviceaccounts/default/token"
    token = admin.post(path, {}).body["status"]["token"]
    head, claims, signature = token.split(".")

    changed = type(admin)(shared.kubeconfig, f"{head}.{claims[:-2]}AA.{signature}")

    assert changed.get("/version").code == 401


def test_a_token_lives_ten_minutes_at_least(admin: Any) -> None:
    path = "/api/v1/namespaces/traefik/serviceaccounts/default/token"

    answer = admin.post(path, {"spec": {"expirationSeconds": 10}})

    assert answer.code == 422
    assert "may not specify a duration less than 10 minutes" in answer.body["message"]


def test_a_role_gives_what_it_names_and_nothing_else(shared: Any, grant: Callable[..., None]) -> None:
    grant("reader", rule(["pods"], ["get", "list"]))
    reader = shared.account("traefik", "reader")

    assert reader.get(PODS).code == 200
    assert reader.get(f"{PODS}/none").code == 404
    assert reader.get(f"{PODS}?watch=true&timeoutSeconds=1").code == 403
    assert reader.get(f"{PODS}/none/log").code == 403
    assert reader.get("/api/v1/namespaces/default/pods").code == 403
    assert reader.get("/api/v1/pods").body["message"] == (
        'pods is forbidden: User "system:serviceaccount:traefik:reader" cannot list resource '
        '"pods" in API group '
        '"" at the cluster scope'
    )


def test_a_role_for_one_name_gives_that_name_only(shared: Any, grant: Callable[..., None]) -> None:
    grant("narrow", rule(["pods"], ["get", "list"], resourceNames=["one"]))
    narrow = shared.account("traefik", "narrow")

    assert narrow.get(f"{PODS}/one").code == 404
    assert narrow.get(f"{PODS}/two").code == 403
    assert narrow.get(PODS).code == 403
    assert narrow.get(f"{PODS}?fieldSelector=metadata.name%3Done").code == 200


@pytest.mark.parametrize(("verbs", "code"), [(["get"], 403), (["create"], 403), (["get", "create"], 404)])
def test_exec_by_websocket_needs_both_get_and_create(
    shared: Any, grant: Callable[..., None], verbs: list[str], code: int
) -> None:
    name = f"exec-{'-'.join(verbs)}"
    grant(name, rule(["pods/exec"], verbs))

    answer = shared.account("traefik", name).get(f"{PODS}/none/exec?command=true&stdout=true")

    assert answer.code == code
    if verbs == ["get"]:
        assert 'cannot create resource "pods/exec"' in answer.body["message"]


def test_a_binding_to_a_role_that_is_missing_is_named_in_the_refusal(shared: Any, admin: Any) -> None:
    admin.post("/api/v1/namespaces/traefik/serviceaccounts", {"metadata": {"name": "dangling"}})
    binding = {
        "metadata": {"name": "dangling"},
        "roleRef": {"kind": "Role", "name": "nowhere"},
        "subjects": [{"kind": "ServiceAccount", "name": "dangling", "namespace": "traefik"}],
    }
    admin.post(f"{RBAC}/namespaces/traefik/rolebindings", binding)

    answer = shared.account("traefik", "dangling").get(PODS)

    assert answer.body["message"].endswith(
        'in the namespace "traefik": RBAC: role.rbac.authorization.k8s.io "nowhere" not found'
    )


def test_a_role_of_a_binding_does_not_change(admin: Any, grant: Callable[..., None]) -> None:
    grant("bound", rule(["pods"], ["get"]))
    path = f"{RBAC}/namespaces/traefik/rolebindings/bound"

    answer = admin.patch(path, {"roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}}, "merge")

    assert answer.code == 422
    assert "cannot change roleRef" in answer.body["message"]


def test_acting_as_somebody_else_means_having_their_rights(shared: Any, admin: Any) -> None:
    as_nobody = admin.get(PODS, Impersonate_User="mallory")
    who = admin.request(
        "POST",
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        {},
        Impersonate_User="alice",
        Impersonate_Group="x",
    )
    not_allowed = shared.account("traefik", "default").get(PODS, Impersonate_User="lab-admin")

    assert as_nobody.body["message"].startswith('pods is forbidden: User "mallory" cannot list')
    assert who.body["status"]["userInfo"] == {"username": "alice", "groups": ["x", "system:authenticated"]}
    assert not_allowed.body["message"] == (
        'users "lab-admin" is forbidden: User "system:serviceaccount:traefik:default" cannot impersonate '
        'resource "users" in API group "" at the cluster scope'
    )


def test_a_self_review_says_what_oneself_may(shared: Any, grant: Callable[..., None]) -> None:
    grant("curious", rule(["pods"], ["get"]))
    account = shared.account("traefik", "curious")
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

    def allowed(**attributes: str) -> bool:
        asked = {"namespace": "traefik", "verb": "get", "resource": "pods"} | attributes
        found: bool = account.post(path, {"spec": {"resourceAttributes": asked}}).body["status"]["allowed"]
        return found

    assert allowed()
    assert not allowed(subresource="exec")
    assert not allowed(namespace="default")
    assert not allowed(group="apps")


HOSTILE = {
    "hostNetwork": True,
    "hostPID": True,
    "containers": [
        {
            "name": "agent",
            "image": "agent:1",
            "securityContext": {"privileged": True, "capabilities": {"add": ["NET_RAW", "SYS_ADMIN"]}},
        }
    ],
    "volumes": [{"name": "root", "hostPath": {"path": "/"}}],
}


def test_pod_security_baseline_names_everything_it_refuses(admin: Any) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "baseline"}
    admin.post("/api/v1/namespaces", {"metadata": {"name": "guarded", "labels": labels}})

    answer = admin.post("/api/v1/namespaces/guarded/pods", pod("agent", **HOSTILE))

    assert answer.code == 403
    assert answer.body["message"] == (
        'pods "agent" is forbidden: violates PodSecurity "baseline:latest": non-default '
        "capabilities (container "
        '"agent" must not include "NET_RAW", "SYS_ADMIN" in securityContext.capabilities.add), '
        "host namespaces "
        '(hostNetwork=true, hostPID=true), hostPath volumes (volume "root"), privileged '
        '(container "agent" must '
        "not set securityContext.privileged=true)"
    )
    assert admin.post("/api/v1/namespaces/guarded/pods", pod("plain")).code == 201


def test_pod_security_restricted_asks_for_more(admin: Any) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    admin.post("/api/v1/namespaces", {"metadata": {"name": "strict", "labels": labels}})
    good = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }

    refused = admin.post("/api/v1/namespaces/strict/pods", pod("plain"))
    taken = admin.post(
        "/api/v1/namespaces/strict/pods",
        pod("good", containers=[{"name": "web", "image": "x:1", "securityContext": good}]),
    )

    assert refused.body["message"] == (
        'pods "plain" is forbidden: violates PodSecurity "restricted:latest": '
        "allowPrivilegeEscalation != false "
        '(container "web" must set securityContext.allowPrivilegeEscalation=false), unrestricted '
        "capabilities "
        '(container "web" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or '
        'container "web" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "web" '
        'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'
    )
    assert taken.code == 201
