"""Who is at the terminal: the name that the cluster knows them by."""

import getpass
from dataclasses import dataclass

from kubernetes import config
from kubernetes.config.config_exception import ConfigException

from workers.cluster.cluster import Cluster
from workers.cluster.errors import ForbiddenError, NotServedError


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody at a terminal.

    Attributes:
        name: Of the Kubernetes user.
        proven: Whether the API server said so; else it is what the kubeconfig calls them, which anybody can
            write into theirs.
        account: Of the operating system.
    """

    name: str
    proven: bool
    account: str

    @property
    def shown(self) -> str:
        """For ledger and trail."""
        return self.name if self.proven else f"{self.name} (claimed)"

    @property
    def policy_id(self) -> str:
        """What the policy's `users` are compared with; nobody's while it is only claimed."""
        return f"kubernetes:{self.name}" if self.proven else ""

    @property
    def email(self) -> str | None:
        """The name, where it is an e-mail address and proven, as with most single sign-ons."""
        return self.name if self.proven and "@" in self.name else None


def identify(cluster: Cluster, kubeconfig: str | None) -> Identity:
    """Asks the API server, and where that does not say, the kubeconfig.

    Raises:
        ClusterError: The API server is out of reach, fails, or does not accept the credentials.
    """
    try:
        return Identity(cluster.user(), proven=True, account=_account())
    except (ForbiddenError, NotServedError):
        return Identity(_claimed(kubeconfig), proven=False, account=_account())


def _claimed(kubeconfig: str | None) -> str:
    try:
        _, active = config.list_kube_config_contexts(kubeconfig)
        return str(active["context"]["user"])
    except (ConfigException, KeyError, TypeError, OSError):
        return "unknown"


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
