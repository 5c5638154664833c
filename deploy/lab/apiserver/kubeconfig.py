"""Kubeconfig files. As a command it writes one for a service account:

python -m deploy.lab.apiserver.kubeconfig --dir DIR --serviceaccount NAMESPACE/NAME [--output FILE]
"""  # noqa: D415 - the command is the sentence's end

import argparse
import base64
import http.client
import json
import os
import ssl
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from deploy.lab.apiserver.pki import Pair

CONTEXT = "lab"
_TOKEN_SECONDS = 24 * 3600


def for_client(server: str, authority: bytes, user: str, pair: Pair) -> dict[str, Any]:
    """A kubeconfig with a client certificate."""
    credentials = {
        "client-certificate-data": _base64(pair.certificate),
        "client-key-data": _base64(pair.key),
    }
    return _kubeconfig(server, _base64(authority), user, credentials)


def for_token(server: str, authority_data: str, user: str, token: str, namespace: str) -> dict[str, Any]:
    """A kubeconfig with a bearer token."""
    config = _kubeconfig(server, authority_data, user, {"token": token})
    config["contexts"][0]["context"]["namespace"] = namespace
    return config


def _kubeconfig(server: str, authority_data: str, user: str, credentials: dict[str, str]) -> dict[str, Any]:
    cluster = {"server": server, "certificate-authority-data": authority_data}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": cluster}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": user}}],
        "current-context": CONTEXT,
        "preferences": {},
    }


def write(path: Path, config: dict[str, Any]) -> None:
    """Writes the file with mode 0600, whole or not at all."""
    new = path.with_name(path.name + ".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        yaml.safe_dump(config, file, sort_keys=False)
    new.replace(path)


def request_token(kubeconfig: Path, namespace: str, name: str) -> dict[str, Any]:
    """Asks the server of a kubeconfig for a token and makes a kubeconfig of it.

    Raises:
        OSError: The server refused or is not there.
    """
    config = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    connection = _connect(cluster, user)
    body = json.dumps({"spec": {"expirationSeconds": _TOKEN_SECONDS}})
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    if answer["kind"] == "Status":
        raise OSError(answer["message"])
    account = f"system:serviceaccount:{namespace}:{name}"
    authority = cluster["certificate-authority-data"]
    return for_token(cluster["server"], authority, account, answer["status"]["token"], namespace)


def _connect(cluster: dict[str, str], user: dict[str, str]) -> http.client.HTTPSConnection:
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    with tempfile.NamedTemporaryFile() as both:
        both.write(base64.b64decode(user["client-certificate-data"]))
        both.write(base64.b64decode(user["client-key-data"]))
        both.flush()
        context.load_cert_chain(both.name)
    return http.client.HTTPSConnection(urlsplit(cluster["server"]).netloc, context=context, timeout=10)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m deploy.lab.apiserver.kubeconfig")
    parser.add_argument("--dir", type=Path, required=True, help="the lab's state directory")
    parser.add_argument("--serviceaccount", required=True, help="NAMESPACE/NAME")
    parser.add_argument("--output", type=Path, help="left out: standard output")
    arguments = parser.parse_args()
    namespace, _, name = arguments.serviceaccount.partition("/")
    try:
        config = request_token(arguments.dir / "kubeconfig", namespace, name)
    except OSError as error:
        print(f"no token for {arguments.serviceaccount}: {error}", file=sys.stderr)
        return 1
    if arguments.output:
        write(arguments.output, config)
    else:
        yaml.safe_dump(config, sys.stdout, sort_keys=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
