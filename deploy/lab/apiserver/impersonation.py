"""Acting as somebody else: the headers `Impersonate-User` and `Impersonate-Group` (`kubectl --as`)."""

from aiohttp import web

from deploy.lab.apiserver import rbac
from deploy.lab.apiserver.requestinfo import RequestInfo
from deploy.lab.apiserver.status import bad_request
from deploy.lab.apiserver.users import AUTHENTICATED, User, service_account

_USER, _GROUP = "Impersonate-User", "Impersonate-Group"


def effective(request: web.Request, user: User, roles: rbac.Roles) -> User:
    """The user that a request acts as.

    Raises:
        ApiError: 403 when the one who asks may not be that user, 400 for groups without a user.
    """
    name, groups = request.headers.get(_USER, ""), request.headers.getall(_GROUP, [])
    if not name:
        if groups:
            raise bad_request(f"requested {groups} without impersonating a user")
        return user
    wanted = User(name, (*groups, AUTHENTICATED))
    account = wanted.account
    if account is None:
        _check(roles, user, RequestInfo("impersonate", request.path, resource="users", name=name))
    else:
        namespace, name = account
        asked = RequestInfo(
            "impersonate", request.path, resource="serviceaccounts", namespace=namespace, name=name
        )
        _check(roles, user, asked)
        wanted = wanted if groups else service_account(namespace, name)
    for group in groups:
        _check(roles, user, RequestInfo("impersonate", request.path, resource="groups", name=group))
    return wanted


def _check(roles: rbac.Roles, user: User, asked: RequestInfo) -> None:
    decision = rbac.decide(roles, user, asked)
    if not decision.allowed:
        raise rbac.refusal(user, asked, decision)
