"""ValidatingAdmissionPolicies are evaluated as the real server does: who is refused, warned, let through."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.lab.apiserver.cel import CompileError, Environment, EvaluationError

GROUP = "/apis/admissionregistration.k8s.io/v1"
POLICIES = f"{GROUP}/validatingadmissionpolicies"
BINDINGS = f"{GROUP}/validatingadmissionpolicybindings"
PODS = "/api/v1/namespaces/traefik/pods"
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
IMAGES = "object.spec.containers.all(c, c.image in ['good:1'])"

Bind = Callable[..., None]


def pod(name: str = "it", image: str = "good:1", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"policed": "yes"}},
        "spec": {"containers": [{"name": "main", "image": image}], **spec},
    }


def policy(name: str, *validations: dict[str, Any], **spec: Any) -> dict[str, Any]:
    match = {"resourceRules": [RULE], "objectSelector": {"matchLabels": {"policed": "yes"}}}
    return {
        "metadata": {"name": name},
        "spec": {"matchConstraints": match, "validations": list(validations), **spec},
    }


def binding(name: str, *actions: str, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": f"{name}-b"},
        "spec": {"policyName": name, "validationActions": list(actions or ("Deny",)), **spec},
    }


@pytest.fixture
def bind(admin: Any) -> Iterator[Bind]:
    """Makes a policy with its binding, for this test."""
    made: list[str] = []

    def make(policed: dict[str, Any], bound: dict[str, Any]) -> None:
        for path, one in ((POLICIES, policed), (BINDINGS, bound)):
            answer = admin.post(path, one)
            assert answer.code == 201, answer.body
            made.append(f"{path}/{one['metadata']['name']}")

    yield make
    for path in made:
        assert admin.delete(path).code == 200


@pytest.fixture
def create(admin: Any) -> Callable[[dict[str, Any]], Any]:
    """Creates a pod, dry."""
    return lambda wanted: admin.post(f"{PODS}?dryRun=All", wanted)


def test_a_pod_that_breaks_a_rule_is_refused_with_the_real_servers_words(
    bind: Bind, create: Callable[..., Any]
) -> None:
    bind(policy("images", {"expression": IMAGES, "message": "only good images"}), binding("images"))

    refused = create(pod(image="evil:1"))

    assert (refused.code, refused.body["reason"]) == (422, "Invalid")
    assert refused.body["message"] == (
        "pods \"it\" is forbidden: ValidatingAdmissionPolicy 'images' with binding 'images-b' denied "
        "request: only good images"
    )
    assert create(pod()).code == 201


def test_kubectl_shows_the_refusal(shared: Any, bind: Bind) -> None:
    bind(policy("shown", {"expression": IMAGES}), binding("shown"))
    wanted = {"apiVersion": "v1", "kind": "Pod", **pod(image="evil:1")}

    done = shared.kubectl("apply", "-n", "traefik", "-f", "-", given=json.dumps(wanted))

    assert done.returncode == 1
    assert f"denied request: failed expression: {IMAGES}" in done.stderr


def test_a_policy_without_a_binding_does_nothing(admin: Any, create: Callable[..., Any]) -> None:
    assert admin.post(POLICIES, policy("idle", {"expression": "false"})).code == 201

    assert create(pod()).code == 201
    admin.delete(f"{POLICIES}/idle")


def test_a_reason_sets_the_code(bind: Bind, create: Callable[..., Any]) -> None:
    bind(policy("code", {"expression": "false", "reason": "Forbidden"}), binding("code"))

    assert create(pod()).code == 403


def test_a_message_is_made_by_its_expression(bind: Bind, create: Callable[..., Any]) -> None:
    validation = {
        "expression": "false",
        "message": "fallback",
        "messageExpression": "'no ' + object.metadata.name + ' for ' + request.userInfo.username",
    }
    bind(policy("spoken", validation), binding("spoken"))

    assert create(pod()).body["message"].endswith("denied request: no it for lab-admin")


def test_a_warning_comes_with_the_answer(bind: Bind, create: Callable[..., Any]) -> None:
    bind(policy("warns", {"expression": "false", "message": "hm"}), binding("warns", "Warn", "Audit"))

    answer = create(pod())

    assert answer.code == 201
    assert answer.headers["Warning"] == (
        "299 - \"Validation failed for ValidatingAdmissionPolicy 'warns' with binding 'warns-b': hm\""
    )


def test_variables_and_optionals_work_together(bind: Bind, create: Callable[..., Any]) -> None:
    variables = [
        {
            "name": "containers",
            "expression": "object.spec.containers + object.spec.?initContainers.orValue([])",
        },
        {"name": "context", "expression": "object.spec.?securityContext"},
        {"name": "names", "expression": "variables.containers.map(c, c.name)"},
    ]
    validations = [
        {"expression": "variables.names == ['main']"},
        {"expression": "variables.context.?runAsUser.orValue(0) == 65532", "message": "wrong user"},
    ]
    bind(policy("variables", *validations, variables=variables), binding("variables"))

    assert create(pod(securityContext={"runAsUser": 65532})).code == 201
    assert create(pod()).body["message"].endswith("wrong user")


def test_a_condition_that_is_not_met_spares_the_request(bind: Bind, create: Callable[..., Any]) -> None:
    conditions = [{"name": "not-me", "expression": "request.userInfo.username != 'lab-admin'"}]
    bind(policy("spared", {"expression": "false"}, matchConditions=conditions), binding("spared"))

    assert create(pod()).code == 201


@pytest.mark.parametrize(("failure", "code"), [("Fail", 422), ("Ignore", 201)])
def test_an_expression_that_fails_is_decided_by_the_failure_policy(
    bind: Bind, create: Callable[..., Any], failure: str, code: int
) -> None:
    expression = "object.spec.nope == 1"
    bind(policy("fails", {"expression": expression}, failurePolicy=failure), binding("fails"))

    answer = create(pod())

    assert answer.code == code
    if code == 422:
        assert answer.body["message"].endswith(
            f"denied request: expression '{expression}' resulted in error: no such key: nope"
        )


def test_a_binding_can_be_for_one_namespace(admin: Any, bind: Bind, create: Callable[..., Any]) -> None:
    only = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}}
    bind(policy("there", {"expression": "false"}), binding("there", matchResources=only))

    assert create(pod()).code == 201
    assert admin.post("/api/v1/namespaces/default/pods?dryRun=All", pod()).code == 422


def test_an_update_shows_both_objects(admin: Any, bind: Bind) -> None:
    rule = RULE | {"operations": ["UPDATE"], "resources": ["configmaps"]}
    match = {"resourceRules": [rule], "objectSelector": {"matchLabels": {"policed": "yes"}}}
    grows = {"expression": "size(object.data) >= size(oldObject.data)"}
    bind(policy("grows", grows, matchConstraints=match), binding("grows"))
    path = "/api/v1/namespaces/traefik/configmaps"
    admin.post(path, {"metadata": {"name": "grown", "labels": {"policed": "yes"}}, "data": {"a": "1"}})

    assert admin.patch(f"{path}/grown", {"data": {"b": "2"}}, "merge").code == 200
    assert admin.patch(f"{path}/grown", {"data": {"b": None}}, "merge").code == 422
    assert len(admin.get(f"{path}/grown").body["data"]) == 2


def test_a_deletion_can_be_refused(admin: Any, bind: Bind) -> None:
    rule = RULE | {"operations": ["DELETE"], "resources": ["configmaps"], "resourceNames": ["kept"]}
    kept = {"expression": "false", "message": "it stays"}
    bind(policy("kept", kept, matchConstraints={"resourceRules": [rule]}), binding("kept"))
    path = "/api/v1/namespaces/traefik/configmaps"
    admin.post(path, {"metadata": {"name": "kept"}})

    assert admin.delete(f"{path}/kept").body["message"].endswith("it stays")


def test_an_exec_is_a_connection_with_its_options(admin: Any, bind: Bind) -> None:
    rule = RULE | {"operations": ["CONNECT"], "resources": ["pods/exec"]}
    shell = {"expression": "object.command[0] != 'sh'", "message": "no shell"}
    bind(policy("shell", shell, matchConstraints={"resourceRules": [rule]}), binding("shell"))
    admin.post(PODS, pod("exec"))

    answer = admin.request("POST", f"{PODS}/exec/exec?command=sh&stdout=true")

    assert answer.body["message"].endswith("no shell")
    admin.delete(f"{PODS}/exec", {"gracePeriodSeconds": 0})


def test_parameters_come_from_the_object_that_the_binding_names(
    admin: Any, bind: Bind, create: Callable[..., Any]
) -> None:
    admin.post("/api/v1/namespaces/traefik/configmaps", {"metadata": {"name": "p"}, "data": {"i": "good:1"}})
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    reference = {"name": "p", "namespace": "traefik", "parameterNotFoundAction": "Deny"}
    expression = {"expression": "object.spec.containers.all(c, c.image == params.data.i)"}
    bind(policy("params", expression, paramKind=kind), binding("params", paramRef=reference))

    assert create(pod()).code == 201
    assert create(pod(image="other:1")).code == 422


@pytest.mark.parametrize(
    ("validation", "why"),
    [
        ({"expression": "object.spec.replicas >"}, "compilation failed: ERROR: <input>:1:23: Syntax error"),
        ({"expression": "objekt == 1"}, "undeclared reference to 'objekt' (in container '')"),
        ({"expression": "params.x == 1"}, "undeclared reference to 'params"),
        ({"expression": "'text'"}, "must evaluate to bool but got string"),
        ({"expression": "1 + 'a' == 2"}, "found no matching overload for '_+_' applied to '(int, string)'"),
        ({"expression": "true", "messageExpression": "1"}, "must evaluate to string but got int"),
        ({"expression": "variables.nope"}, "undeclared reference to 'variables.nope'"),
    ],
)
def test_a_policy_that_does_not_compile_is_refused(admin: Any, validation: dict[str, Any], why: str) -> None:
    answer = admin.post(POLICIES, policy("broken", validation))

    assert (answer.code, answer.body["reason"]) == (422, "Invalid")
    assert answer.body["message"].startswith(
        'ValidatingAdmissionPolicy.admissionregistration.k8s.io "broken" is invalid: spec.validations[0].'
    )
    assert why in answer.body["message"]


@pytest.mark.parametrize(
    "expression",
    [
        "quantity('1Gi').isGreaterThan(quantity('512Mi'))",
        "quantity('1').compareTo(quantity('1000m')) == 0 && !isQuantity('x')",
        "sets.contains(['a', 'b'], ['b']) && sets.equivalent(['a'], ['a', 'a'])",
        "'cap-%s'.format(['x']) == 'cap-x' && 'a,b'.split(',') == ['a', 'b']",
        "object[?'labels'].hasValue() && object.labels['podcap.dev/capture'].matches('^cap-[a-z]+$')",
        "oldObject == null && has(object.labels) && !has(object.annotations)",
    ],
)
def test_expressions_mean_what_they_mean_in_kubernetes(expression: str) -> None:
    program = Environment(parameters=False).compile(expression, ("BOOL",))

    values = {"object": {"labels": {"podcap.dev/capture": "cap-abc"}}, "oldObject": None}
    assert program.evaluate(values) is True


def test_a_variable_that_fails_fails_what_uses_it_and_nothing_else() -> None:
    environment = Environment(parameters=False)
    environment.declare("v", environment.compile("object.nope"))

    assert environment.compile("true || variables.v == 1").evaluate({"object": {}}) is True
    with pytest.raises(EvaluationError, match='composited variable "v" fails to evaluate'):
        environment.compile("variables.v == 1").evaluate({"object": {}})


def test_what_this_server_does_not_know_does_not_compile() -> None:
    with pytest.raises(CompileError, match="undeclared reference to 'authorizer'"):
        Environment(parameters=False).compile("authorizer.path('/x').check('get').allowed()")
