"""Who asks."""

from dataclasses import dataclass

MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True)
class User:
    """An authenticated user: a name, groups, and the uid of a service account."""

    name: str
    groups: tuple[str, ...]
    uid: str = ""

    @property
    def account(self) -> tuple[str, str] | None:
        """Namespace and name, of a service account."""
        if not self.name.startswith(_ACCOUNT):
            return None
        namespace, _, name = self.name.removeprefix(_ACCOUNT).partition(":")
        return namespace, name


def service_account(namespace: str, name: str, uid: str = "") -> User:
    """The user that a service account is."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
    return User(f"{_ACCOUNT}{namespace}:{name}", groups, uid)
