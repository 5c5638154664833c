"""What a real API server refuses, refused in its words."""

from typing import Any

import pytest

PODS = "/api/v1/namespaces/traefik/pods"
SERVICES = "/api/v1/namespaces/traefik/services"


def pod(name: str = "web", **spec: Any) -> dict[str, Any]:
    container = {"name": "web", "image": "busybox:1.35"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], **spec},
    }


def with_container(**fields: Any) -> dict[str, Any]:
    return pod(containers=[{"name": "web", "image": "busybox:1.35", **fields}])


def service(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"ports": [{"port": 80}], **spec},
    }


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        (
            pod("Web_1"),
            "metadata.name",
            'Invalid value: "Web_1": a lowercase RFC 1123 subdomain must consist of',
        ),
        (pod(containers=[]), "spec.containers", "Required value"),
        (pod(containers=[{"name": "web"}]), "spec.containers[0].image", "Required value"),
        (pod(containers=[{"image": "x"}]), "spec.containers[0].name", "Required value"),
        (
            pod(containers=[{"name": "A", "image": "x"}]),
            "spec.containers[0].name",
            'Invalid value: "A": a lowercase RFC 1123 label must consist of',
        ),
        (
            pod(containers=[{"name": "a", "image": "x"}, {"name": "a", "image": "y"}]),
            "spec.containers[1].name",
            'Duplicate value: "a"',
        ),
        (
            pod(restartPolicy="Sometimes"),
            "spec.restartPolicy",
            'Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
        ),
        (
            pod(activeDeadlineSeconds=0),
            "spec.activeDeadlineSeconds",
            "Invalid value: 0: must be between 1 and 2147483647, inclusive",
        ),
        (
            with_container(ports=[{"containerPort": 70000}]),
            "spec.containers[0].ports[0].containerPort",
            "Invalid value: 70000: must be between 1 and 65535, inclusive",
        ),
        (
            with_container(volumeMounts=[{"name": "spool", "mountPath": "/spool"}]),
            "spec.containers[0].volumeMounts[0].name",
            'Not found: "spool"',
        ),
        (
            with_container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
            "spec.containers[0].resources.requests",
            'Invalid value: "2": must be less than or equal to cpu limit of 1',
        ),
        (
            with_container(securityContext={"privileged": True, "allowPrivilegeEscalation": False}),
            "spec.containers[0].securityContext",
            'Invalid value: "": cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
        ),
        (
            pod(
                hostNetwork=True,
                containers=[{"name": "a", "image": "x", "ports": [{"containerPort": 80, "hostPort": 81}]}],
            ),
            "spec.containers[0].ports[0].hostPort",
            "Invalid value: 81: must match `containerPort` when `hostNetwork` is true",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_pod_that_is_not_valid_is_refused_with_the_field(
    admin: Any, body: dict[str, Any], field: str, message: str
) -> None:
    answer = admin.post(PODS, body)

    assert answer.code == 422
    assert answer.body["reason"] == "Invalid"
    assert answer.body["details"]["kind"] == "Pod"
    causes = [one for one in answer.body["details"]["causes"] if one["field"] == field]
    assert causes, answer.body
    assert causes[0]["message"].startswith(message)
    assert f"{field}: {message}" in answer.body["message"]


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        (
            {"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]},
            "spec.ports[0].nodePort",
            (
                "Invalid value: 80: provided port is not in the valid range. The range of valid ports is "
                "30000-32767"
            ),
        ),
        (
            {"externalTrafficPolicy": "Local"},
            "spec.externalTrafficPolicy",
            'Invalid value: "Local": may only be set for externally-accessible services',
        ),
        (
            {"type": "NodePort", "externalTrafficPolicy": "Everywhere"},
            "spec.externalTrafficPolicy",
            'Unsupported value: "Everywhere": supported values: "Cluster", "Local"',
        ),
        (
            {"sessionAffinity": "Cookie"},
            "spec.sessionAffinity",
            'Unsupported value: "Cookie": supported values: "ClientIP", "None"',
        ),
        ({"ports": []}, "spec.ports", "Required value"),
    ],
)
def test_a_service_that_is_not_valid_is_refused_with_the_field(
    admin: Any, spec: dict[str, Any], field: str, message: str
) -> None:
    answer = admin.post(SERVICES, service(**spec))

    assert answer.code == 422
    assert {"field": field, "message": message} in [
        {key: one[key] for key in ("field", "message")} for one in answer.body["details"]["causes"]
    ]


def test_a_node_port_that_is_taken_is_refused(admin: Any) -> None:
    first = service(type="NodePort", ports=[{"port": 80, "nodePort": 31000}])
    second = first | {"metadata": {"name": "other"}}
    assert admin.post(SERVICES, first).code == 201

    answer = admin.post(SERVICES, second)

    assert answer.body["message"] == (
        'Service "other" is invalid: spec.ports[0].nodePort: Invalid value: 31000: provided port is already '
        "allocated"
    )


def test_a_name_that_is_taken_is_a_conflict(admin: Any) -> None:
    assert admin.post(PODS, pod("twice")).code == 201

    answer = admin.post(PODS, pod("twice"))

    assert answer.code == 409
    assert answer.body["reason"] == "AlreadyExists"
    assert answer.body["message"] == 'pods "twice" already exists'
    assert answer.body["details"] == {"name": "twice", "kind": "pods"}


def test_a_pod_in_a_namespace_that_is_not_there_is_refused(admin: Any) -> None:
    answer = admin.post("/api/v1/namespaces/nope/pods", pod())

    assert answer.code == 404
    assert answer.body["message"] == 'namespaces "nope" not found'
    assert answer.body["details"] == {"name": "nope", "kind": "namespaces"}


def test_a_pod_of_a_service_account_that_is_not_there_is_refused(admin: Any) -> None:
    answer = admin.post(PODS, pod(serviceAccountName="ghost"))

    assert answer.code == 403
    assert answer.body["message"] == (
        'pods "web" is forbidden: error looking up service account traefik/ghost: serviceaccount "ghost" '
        "not found"
    )


def test_an_unknown_field_is_refused_only_when_strictness_is_asked_for(admin: Any) -> None:
    body = pod("strict") | {"spec": pod()["spec"] | {"bogus": 1}}

    strict = admin.post(f"{PODS}?fieldValidation=Strict", body)
    warned = admin.post(f"{PODS}?dryRun=All", body)
    ignored = admin.post(f"{PODS}?dryRun=All&fieldValidation=Ignore", body)

    assert strict.code == 400
    assert strict.body["message"] == (
        'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.bogus"'
    )
    assert warned.code == 201
    assert warned.headers["Warning"] == '299 - "unknown field \\"spec.bogus\\""'
    assert "bogus" not in warned.body["spec"]
    assert ignored.code == 201
    assert "Warning" not in ignored.headers


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            pod(containers="web"),
            "into Go struct field PodSpec.spec.containers of type []v1.Container",
        ),
        (
            pod(terminationGracePeriodSeconds="30"),
            "into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int32",
        ),
        (
            pod(volumes=[{"name": "spool", "emptyDir": {"sizeLimit": "much"}}]),
            "quantities must match the regular expression",
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_as_go_says_it(
    admin: Any, body: dict[str, Any], message: str
) -> None:
    answer = admin.post(PODS, body)

    assert answer.code == 400
    assert answer.body["message"].startswith('Pod in version "v1" cannot be handled as a Pod: ')
    assert message in answer.body["message"]


def test_a_body_that_is_no_json_or_another_kind_is_refused(admin: Any) -> None:
    broken = admin.request("POST", PODS, b"{not json")
    other = admin.post(PODS, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}})
    yaml = admin.request("POST", PODS, b"kind: Pod", kind="text/plain")

    assert (broken.code, broken.body["reason"]) == (400, "BadRequest")
    assert other.code == 400
    assert other.body["message"].startswith("the API version in the data (apps/v1) does not match")
    assert (yaml.code, yaml.body["reason"]) == (415, "UnsupportedMediaType")


def test_a_running_pods_spec_does_not_change(admin: Any) -> None:
    made = admin.post(PODS, pod("fixed")).body
    made["spec"]["hostNetwork"] = True
    made["metadata"].pop("resourceVersion")  # The scheduler may have written meanwhile.

    answer = admin.request("PUT", f"{PODS}/fixed", made)

    assert answer.code == 422
    assert answer.body["details"]["causes"][0]["field"] == "spec"
    assert "pod updates may not change fields other than" in answer.body["message"]


def test_a_pods_image_may_change(admin: Any) -> None:
    admin.post(PODS, pod("renewed"))

    answer = admin.patch(f"{PODS}/renewed", {"spec": {"containers": [{"name": "web", "image": "busybox:2"}]}})

    assert answer.code == 200
    assert answer.body["spec"]["containers"][0]["image"] == "busybox:2"
    assert answer.body["metadata"]["generation"] == 2


def test_an_object_that_has_changed_since_it_was_read_is_a_conflict(admin: Any) -> None:
    made = admin.post(SERVICES, service() | {"metadata": {"name": "moving"}}).body
    admin.patch(f"{SERVICES}/moving", {"metadata": {"labels": {"a": "b"}}})

    answer = admin.request("PUT", f"{SERVICES}/moving", made)

    assert answer.code == 409
    assert answer.body["reason"] == "Conflict"
    assert answer.body["message"] == (
        'Operation cannot be fulfilled on services "moving": the object has been modified; please apply your '
        "changes to the latest version and try again"
    )


def test_a_deletion_of_another_object_of_the_same_name_is_a_conflict(admin: Any) -> None:
    admin.post(PODS, pod("mine"))

    answer = admin.delete(f"{PODS}/mine", {"preconditions": {"uid": "another"}})

    assert answer.code == 409
    assert "Precondition failed: UID in precondition: another, UID in object meta: " in answer.body["message"]
    assert admin.get(f"{PODS}/mine").code == 200


@pytest.mark.parametrize(
    ("method", "path", "code", "reason"),
    [
        ("GET", "/api/v1/namespaces/traefik/podtemplates", 404, "NotFound"),
        ("GET", "/apis/apps/v1/namespaces/traefik/cronjobs", 404, "NotFound"),
        ("GET", "/api/v1/namespaces/traefik/pods/web/attach", 404, "NotFound"),
        ("DELETE", SERVICES, 405, "MethodNotAllowed"),
        ("POST", "/api/v1/namespaces/traefik/pods/web/log", 405, "MethodNotAllowed"),
        ("POST", "/api/v1/pods", 405, "MethodNotAllowed"),
        ("GET", "/apis/authorization.k8s.io/v1/subjectaccessreviews", 405, "MethodNotAllowed"),
    ],
)
def test_what_is_not_served_is_refused_with_a_status(
    admin: Any, method: str, path: str, code: int, reason: str
) -> None:
    answer = admin.request(method, path, {} if method == "POST" else None)

    assert (answer.code, answer.body["reason"], answer.body["details"]) == (code, reason, {})
    sentences = {
        404: "the server could not find the requested resource",
        405: "the server does not allow this method on the requested resource",
    }
    assert answer.body["message"] == sentences[code]


def test_a_group_that_is_not_served_is_plain_text(admin: Any) -> None:
    answer = admin.get("/apis/coordination.k8s.io/v1/jobs")

    assert (answer.code, answer.body) == (404, b"404 page not found\n")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("fieldSelector=spec.containers=x", "field label not supported: spec.containers"),
        ("labelSelector=a%20b", "unable to parse requirement"),
        ("continue=nonsense", "continue key is not valid"),
        ("limit=many", 'strconv.ParseInt: parsing "many": invalid syntax'),
    ],
)
def test_a_query_that_cannot_be_understood_is_a_bad_request(admin: Any, query: str, message: str) -> None:
    answer = admin.get(f"{PODS}?{query}")

    assert (answer.code, answer.body["reason"]) == (400, "BadRequest")
    assert answer.body["message"].startswith(message)


def test_a_form_that_is_not_served_is_not_acceptable(admin: Any) -> None:
    answer = admin.get(PODS, Accept="application/yaml")

    assert (answer.code, answer.body["reason"]) == (406, "NotAcceptable")


def test_a_body_that_is_too_large_is_refused(admin: Any) -> None:
    answer = admin.request("POST", PODS, b"x" * (3 << 20) + b"x")

    assert (answer.code, answer.body["reason"]) == (413, "RequestEntityTooLarge")


def test_a_patch_of_an_unknown_form_is_refused(admin: Any) -> None:
    answer = admin.request("PATCH", f"{PODS}/web", pod(), "application/x-patch")

    assert (answer.code, answer.body["reason"]) == (415, "UnsupportedMediaType")


@pytest.mark.parametrize(
    ("headers", "query", "code", "message"),
    [
        ({}, "command=true&stdout=true", 400, "Upgrade request required"),
        (
            {"Connection": "Upgrade", "Upgrade": "SPDY/3.1"},
            "command=true&stdout=true",
            400,
            "unable to upgrade",
        ),
        (
            {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Protocol": "v3.channel.k8s.io"},
            "command=true&stdout=true",
            403,
            "requested protocol(s) are not supported",
        ),
        (
            {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Protocol": "v5.channel.k8s.io"},
            "stdout=true",
            400,
            "you must specify at least 1 command",
        ),
        (
            {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Protocol": "v5.channel.k8s.io"},
            "command=true&stdout=true",
            500,
            "error dialing backend: ",
        ),
    ],
)
def test_an_exec_that_cannot_be_is_refused(
    admin: Any, headers: dict[str, str], query: str, code: int, message: str
) -> None:
    admin.post(PODS, pod("shell", nodeName="node1"))

    answer = admin.request("GET", f"{PODS}/shell/exec?{query}", **headers)

    assert answer.code == code
    assert answer.body["message"].startswith(message)


def test_an_exec_that_names_no_container_of_several_lists_them(admin: Any) -> None:
    two = [{"name": name, "image": "x"} for name in ("first", "second")]
    admin.post(PODS, pod("several", containers=two, nodeName="node1"))

    answer = admin.get(f"{PODS}/several/exec?command=true&stdout=true")

    assert answer.body["message"] == (
        "a container name must be specified for pod several, choose one of: [first second]"
    )


def test_a_pod_without_a_node_has_an_empty_log(admin: Any) -> None:
    admin.post(PODS, pod("nowhere", nodeSelector={"nobody": "has"}))

    answer = admin.get(f"{PODS}/nowhere/log")

    assert (answer.code, answer.body) == (200, b"")
