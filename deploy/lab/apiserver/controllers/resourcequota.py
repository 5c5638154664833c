"""What is used of each ResourceQuota, in its status."""

from decimal import Decimal
from functools import partial

from deploy.lab.apiserver.controllers.cluster import Cluster
from deploy.lab.apiserver.quota import text, usage
from deploy.lab.apiserver.resources import QUOTAS
from deploy.lab.apiserver.status import Object


def reconcile(cluster: Cluster) -> None:
    """Writes the statuses."""
    for quota in cluster.store.objects(QUOTAS):
        used = usage(cluster.store, quota["metadata"]["namespace"])
        hard: Object = quota.get("spec", {}).get("hard", {})
        status = {"hard": hard, "used": {name: text(used.get(name, Decimal(0))) for name in hard}}
        cluster.store.change(QUOTAS, quota, partial(_set_status, status=status))


def _set_status(quota: Object, status: Object) -> None:
    quota["status"] = status
