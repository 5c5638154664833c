"""Authentication: a client certificate or a service account's bearer token says who asks."""

from typing import Any

from aiohttp import web

from deploy.lab.apiserver.resources import SERVICEACCOUNTS
from deploy.lab.apiserver.status import unauthorized
from deploy.lab.apiserver.store import Store
from deploy.lab.apiserver.tokens import Tokens
from deploy.lab.apiserver.users import AUTHENTICATED, User, service_account


class Authenticator:
    """Finds out who sends a request."""

    def __init__(self, store: Store, tokens: Tokens) -> None:
        self._store = store
        self._tokens = tokens

    def user(self, request: web.Request) -> User:
        """Who sends the request.

        Raises:
            ApiError: 401; nobody known. There is no anonymous user.
        """
        certificate = request.get_extra_info("peercert")
        if certificate:
            return _of_certificate(certificate)
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer" and token:
            return self._of_token(token.strip())
        raise unauthorized()

    def _of_token(self, token: str) -> User:
        read = self._tokens.read(token)
        if read is None:
            raise unauthorized()
        namespace, name, uid = read
        account = self._store.get(SERVICEACCOUNTS, namespace, name)
        if account is None or account["metadata"]["uid"] != uid:
            raise unauthorized()
        return service_account(namespace, name, uid)


def _of_certificate(certificate: dict[str, Any]) -> User:
    attributes = [pair for part in certificate["subject"] for pair in part]
    name = next(value for key, value in attributes if key == "commonName")
    groups = tuple(value for key, value in attributes if key == "organizationName")
    return User(name, (*groups, AUTHENTICATED))
