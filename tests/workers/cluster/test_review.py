import json
from typing import Any

import pytest

from workers.cluster.cluster import Cluster
from workers.cluster.errors import ForbiddenError, NotServedError, RefusedError
from workers.cluster.review import Right


def test_the_server_is_asked_who_asks(server: Any, cluster: Cluster) -> None:
    user = {"status": {"userInfo": {"username": "alice@example.com", "groups": ["system:authenticated"]}}}
    server.json("POST /apis/authentication.k8s.io/v1/selfsubjectreviews", 201, user)
    assert cluster.user() == "alice@example.com"


@pytest.mark.parametrize("allowed", [True, False])
def test_a_right_is_asked_for_as_rbac_knows_it(server: Any, cluster: Cluster, allowed: bool) -> None:
    server.json(
        "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", 201, {"status": {"allowed": allowed}}
    )
    assert cluster.may(Right("create", "pods", "exec", "podcap")) is allowed
    asked = json.loads(server.requests[-1].body)["spec"]["resourceAttributes"]
    assert asked == {"verb": "create", "resource": "pods", "subresource": "exec", "namespace": "podcap"}


@pytest.mark.parametrize(
    ("status", "error"), [(403, ForbiddenError), (404, NotServedError), (500, RefusedError)]
)
def test_a_server_that_does_not_say_is_told_from_one_that_fails(
    server: Any, cluster: Cluster, status: int, error: type[Exception]
) -> None:
    server.json("POST ", status, {"kind": "Status", "message": "no"})
    with pytest.raises(error) as raised:
        cluster.user()
    assert type(raised.value) is error


def test_a_dry_run_says_so(server: Any, cluster: Cluster) -> None:
    pod = {"metadata": {"namespace": "podcap", "name": "x", "uid": "1"}}
    server.json(r"POST /api/v1/namespaces/podcap/pods\?dryRun=All$", 201, pod)
    assert cluster.create_pod("podcap", pod, dry_run=True).uid == "1"
