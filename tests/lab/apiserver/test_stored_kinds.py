"""The kinds an installation brings along: kubectl creates, shows, changes and is refused them."""

import base64
import json
from typing import Any

import pytest

from deploy.lab.apiserver.resources import of_kind

NAMESPACE = "traefik"


def manifest(version: str, kind: str, name: str = "it", **rest: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **rest}


def template(**spec: Any) -> dict[str, Any]:
    containers = [{"name": "main", "image": "cheddar:lab"}]
    return {"metadata": {"labels": {"app": "it"}}, "spec": {"containers": containers, **spec}}


RULE = {
    "apiGroups": [""],
    "apiVersions": ["v1"],
    "operations": ["CREATE"],
    "resources": ["pods"],
    "scope": "*",
}
POLICY = {
    "matchConstraints": {"resourceRules": [RULE]},
    "validations": [{"expression": "object.metadata.name != 'never'"}],
}
GOOD: list[tuple[dict[str, Any], str]] = [
    (manifest("v1", "Secret", data={"token": "eA=="}), "NAME TYPE DATA AGE"),
    (manifest("v1", "ConfigMap", data={"policy.yaml": "rules: []"}), "NAME DATA AGE"),
    (manifest("v1", "ServiceAccount", automountServiceAccountToken=False), "NAME SECRETS AGE"),
    (
        manifest(
            "v1",
            "PersistentVolumeClaim",
            spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        ),
        "NAME STATUS VOLUME CAPACITY ACCESS MODES STORAGECLASS VOLUMEATTRIBUTESCLASS AGE",
    ),
    (manifest("v1", "ResourceQuota", spec={"hard": {"services": "50"}}), "NAME REQUEST LIMIT AGE"),
    (
        manifest(
            "v1",
            "LimitRange",
            spec={"limits": [{"type": "PersistentVolumeClaim", "max": {"storage": "9Gi"}}]},
        ),
        "NAME CREATED AT",
    ),
    (
        manifest(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            spec={
                "podSelector": {"matchLabels": {"app": "podcap"}},
                "policyTypes": ["Ingress", "Egress"],
                "egress": [
                    {
                        "to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}],
                        "ports": [{"port": 443, "protocol": "TCP"}],
                    }
                ],
            },
        ),
        "NAME POD-SELECTOR AGE",
    ),
    (
        manifest("policy/v1", "PodDisruptionBudget", spec={"minAvailable": 1}),
        "NAME MIN AVAILABLE MAX UNAVAILABLE ALLOWED DISRUPTIONS AGE",
    ),
    (
        manifest("batch/v1", "Job", spec={"suspend": True, "template": template(restartPolicy="Never")}),
        "NAME STATUS COMPLETIONS DURATION AGE",
    ),
    (
        manifest(
            "batch/v1",
            "CronJob",
            spec={
                "schedule": "*/5 * * * *",
                "jobTemplate": {"spec": {"template": template(restartPolicy="OnFailure")}},
            },
        ),
        "NAME SCHEDULE TIMEZONE SUSPEND ACTIVE LAST SCHEDULE AGE",
    ),
    (
        manifest("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", spec=POLICY),
        "NAME VALIDATIONS PARAMKIND AGE",
    ),
    (
        manifest(
            "admissionregistration.k8s.io/v1",
            "ValidatingAdmissionPolicyBinding",
            spec={"policyName": "other", "validationActions": ["Deny"]},
        ),
        "NAME POLICYNAME PARAMREF AGE",
    ),
    (
        manifest("scheduling.k8s.io/v1", "PriorityClass", value=1000),
        "NAME VALUE GLOBAL-DEFAULT AGE PREEMPTIONPOLICY",
    ),
    (
        manifest(
            "networking.k8s.io/v1",
            "Ingress",
            spec={"defaultBackend": {"service": {"name": "bot", "port": {"number": 80}}}},
        ),
        "NAME CLASS HOSTS ADDRESS PORTS AGE",
    ),
]


@pytest.mark.parametrize(("wanted", "header"), GOOD, ids=lambda v: v["kind"] if isinstance(v, dict) else "")
def test_kubectl_applies_shows_and_deletes_every_kind(
    shared: Any, wanted: dict[str, Any], header: str
) -> None:
    text = json.dumps(wanted)
    resource = of_kind(wanted["apiVersion"], wanted["kind"])
    assert resource is not None

    first = shared.kubectl("apply", "-n", NAMESPACE, "-f", "-", given=text)
    again = shared.kubectl("apply", "-n", NAMESPACE, "-f", "-", given=text)
    shown = shared.kubectl("get", resource.qualified, "it", "-n", NAMESPACE)
    gone = shared.kubectl("delete", "-n", NAMESPACE, "-f", "-", given=text)

    assert first.stdout.endswith("/it created\n"), first.stderr
    assert again.stdout.endswith("/it unchanged\n"), again.stderr
    assert " ".join(shown.stdout.splitlines()[0].split()) == header
    assert gone.returncode == 0, gone.stderr


PEER = {"ingress": [{"from": [{}]}]}
BLOCK = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}}
BAD: list[tuple[dict[str, Any], str]] = [
    (
        manifest("v1", "Secret", data={"a b": ""}),
        (
            'Secret "it" is invalid: data[a b]: Invalid value: "a b": a valid config key must consist of '
            "alphanumeric characters, '-', '_' or '.'"
        ),
    ),
    (manifest("v1", "Secret", data={"a": "!"}), "illegal base64 data at input byte 0"),
    (
        manifest("v1", "Secret", type="kubernetes.io/tls"),
        'Secret "it" is invalid: [data[tls.crt]: Required value, data[tls.key]: Required value]',
    ),
    (
        manifest("v1", "ConfigMap", data={"a": "1"}, binaryData={"a": "MQ=="}),
        'data[a]: Invalid value: "a": duplicate of key present in binaryData',
    ),
    (
        manifest("v1", "PersistentVolumeClaim", spec={}),
        (
            'PersistentVolumeClaim "it" is invalid: [spec.accessModes: Required value: at least 1 access '
            "mode is required, spec.resources[storage]: Required value]"
        ),
    ),
    (
        manifest("networking.k8s.io/v1", "NetworkPolicy", spec=PEER),
        (
            'NetworkPolicy.networking.k8s.io "it" is invalid: spec.ingress[0].from[0]: Required value: must '
            "specify a peer"
        ),
    ),
    (
        manifest("networking.k8s.io/v1", "NetworkPolicy", spec={"egress": [{"to": [BLOCK]}]}),
        (
            'spec.egress[0].to[0].ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict subset of '
            "`cidr`"
        ),
    ),
    (
        manifest("networking.k8s.io/v1", "NetworkPolicy", spec={"policyTypes": ["Sideways"]}),
        'spec.policyTypes[0]: Unsupported value: "Sideways": supported values: "Ingress", "Egress"',
    ),
    (
        manifest("networking.k8s.io/v1", "NetworkPolicy", spec={"egress": [{"ports": [{"port": "HTTPS"}]}]}),
        'spec.egress[0].ports[0].port: Invalid value: "HTTPS": must contain only alpha-numeric characters',
    ),
    (
        manifest("policy/v1", "PodDisruptionBudget", spec={"minAvailable": 1, "maxUnavailable": 1}),
        "minAvailable and maxUnavailable cannot be both set",
    ),
    (
        manifest("batch/v1", "Job", spec={"template": template()}),
        'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
    ),
    (
        manifest("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", spec={}),
        "spec.matchConstraints: Required value",
    ),
    (
        manifest(
            "admissionregistration.k8s.io/v1",
            "ValidatingAdmissionPolicyBinding",
            spec={"policyName": "it", "validationActions": ["Deny", "Warn"]},
        ),
        "spec.validationActions: Invalid value: ",
    ),
    (
        manifest("scheduling.k8s.io/v1", "PriorityClass", value=2_000_000_000),
        "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
    ),
    (manifest("v1", "Secret", datas={}), 'strict decoding error: unknown field "datas"'),
]


@pytest.mark.parametrize(("wanted", "why"), BAD, ids=lambda v: v["kind"] if isinstance(v, dict) else "")
def test_what_the_real_server_refuses_is_refused_with_its_words(
    admin: Any, wanted: dict[str, Any], why: str
) -> None:
    resource = of_kind(wanted["apiVersion"], wanted["kind"])
    assert resource is not None
    prefix = f"/apis/{resource.group_version}" if resource.group else "/api/v1"
    where = f"/namespaces/{NAMESPACE}" if resource.namespaced else ""

    answer = admin.post(f"{prefix}{where}/{resource.plural}?fieldValidation=Strict", wanted)

    assert answer.code in {400, 422}
    assert why in answer.body["message"]


def test_a_secret_made_by_command_holds_what_was_typed(shared: Any, admin: Any) -> None:
    """This command sends protobuf."""
    shared.kubectl("create", "secret", "generic", "typed", "-n", NAMESPACE, "--from-literal=token=xoxb-1")

    body = admin.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/typed").body

    assert body["type"] == "Opaque"
    assert base64.b64decode(body["data"]["token"]) == b"xoxb-1"
    assert "stringData" not in body


@pytest.mark.parametrize("kind", ["secrets", "configmaps"])
def test_what_is_immutable_stays(admin: Any, kind: str) -> None:
    path = f"/api/v1/namespaces/{NAMESPACE}/{kind}"
    made = {"metadata": {"name": "fixed"}, "data": {"a": "YQ=="}, "immutable": True}
    assert admin.post(path, made).code == 201

    answer = admin.patch(f"{path}/fixed", {"data": {"a": "Yg=="}}, "merge")

    assert answer.code == 422
    assert "data: Forbidden: field is immutable when `immutable` is set" in answer.body["message"]


def test_a_job_selects_its_pods_by_its_own_uid(admin: Any) -> None:
    spec = {"suspend": True, "template": template(restartPolicy="Never")}
    path = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"

    body = admin.post(path, {"metadata": {"name": "own"}, "spec": spec}).body

    uid = body["metadata"]["uid"]
    assert body["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    assert body["spec"]["template"]["metadata"]["labels"]["batch.kubernetes.io/job-name"] == "own"


def test_a_list_of_secrets_needs_the_right_to_read_them(shared: Any) -> None:
    done = shared.kubectl("get", "secrets", "-n", NAMESPACE, "--as=mallory")

    assert 'User "mallory" cannot list resource "secrets"' in done.stderr


def test_a_quota_refuses_what_is_too_much_and_shows_what_is_used(
    shared: Any, admin: Any, eventually: Any
) -> None:
    admin.post("/api/v1/namespaces", {"metadata": {"name": "bounded"}})
    quotas, pods = (f"/api/v1/namespaces/bounded/{kind}" for kind in ("resourcequotas", "pods"))
    admin.post(quotas, {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "1", "limits.memory": "1Gi"}}})
    limits = {"limits": {"memory": "512Mi"}}

    def pod(name: str, **container: Any) -> Any:
        containers = [{"name": "main", "image": "web:1", **container}]
        spec = {"nodeSelector": {"no": "where"}, "containers": containers}
        return admin.post(pods, {"metadata": {"name": name}, "spec": spec})

    assert pod("open").body["message"] == (
        'pods "open" is forbidden: failed quota: q: must specify limits.memory for: main'
    )
    assert pod("first", resources=limits).code == 201
    second = pod("second", resources=limits)
    assert (second.code, second.body["message"]) == (
        403,
        'pods "second" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1',
    )
    shown = "limits.memory: 512Mi/1Gi"
    eventually(lambda: shown in shared.kubectl("get", "resourcequota", "q", "-n", "bounded").stdout)


def test_a_pod_needs_the_priority_class_it_names(admin: Any) -> None:
    containers = [{"name": "main", "image": "web:1"}]
    path = f"/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All"

    def pod(name: str) -> Any:
        spec = {"containers": containers, "priorityClassName": name}
        return admin.post(path, {"metadata": {"name": "it"}, "spec": spec}).body

    assert pod("nope")["message"] == ('pods "it" is forbidden: no PriorityClass with name nope was found')
    assert pod("system-node-critical")["spec"]["priority"] == 2_000_001_000
