"""ResourceQuotas: how much of each thing a namespace holds, and who asks for too much.

Counted are pods, what their containers request and may use at most, and objects of any kind. Quotas with
scopes are kept and bound nobody.
"""

from decimal import Decimal

from deploy.lab.apiserver import quantity
from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.resources import KEPT, PODS, QUOTAS
from deploy.lab.apiserver.status import Object, forbidden
from deploy.lab.apiserver.store import Store

Amounts = dict[str, Decimal]

_PLAIN_COUNTS = frozenset(
    {
        "configmaps",
        "persistentvolumeclaims",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "services",
    }
)
_OVER = frozenset({"Succeeded", "Failed"})
_COMPUTED = ("cpu", "memory", "ephemeral-storage")
_UNITS = (("Gi", Decimal(1024**3)), ("Mi", Decimal(1024**2)), ("Ki", Decimal(1024)))


def check(store: Store, resource: Resource, new: Object) -> None:
    """Refuses an object that is more than its namespace may hold.

    Raises:
        ApiError: 403.
    """
    namespace = new["metadata"].get("namespace", "")
    for quota in store.objects(QUOTAS, namespace) if namespace else ():
        hard = _hard(quota)
        asked = {name: amount for name, amount in _of_one(resource, new).items() if name in hard}
        name, subject = quota["metadata"]["name"], new["metadata"]["name"]
        if resource is PODS and (missing := _unspecified(new, hard)):
            raise forbidden(resource, subject, f"failed quota: {name}: must specify {missing}")
        if not any(asked.values()):
            continue
        used = usage(store, namespace)
        over = sorted(key for key, amount in asked.items() if used.get(key, Decimal(0)) + amount > hard[key])
        if over:
            parts = (("requested", asked), ("used", used), ("limited", hard))
            words = [f"{word}: {_words(over, amounts)}" for word, amounts in parts]
            raise forbidden(resource, subject, f"exceeded quota: {name}, {', '.join(words)}")


def _hard(quota: Object) -> Amounts:
    spec = quota.get("spec", {})
    if spec.get("scopes") or spec.get("scopeSelector"):
        return {}
    return {name: quantity.parse(amount) for name, amount in spec.get("hard", {}).items()}


def usage(store: Store, namespace: str) -> Amounts:
    """What a namespace holds of everything a quota can name."""
    used: Amounts = {}
    for resource in KEPT:
        for one in store.objects(resource, namespace) if resource.namespaced else ():
            for name, amount in _of_one(resource, one).items():
                used[name] = used.get(name, Decimal(0)) + amount
    return used


def _of_one(resource: Resource, value: Object) -> Amounts:
    one = Decimal(1)
    amounts = {f"count/{resource.qualified}": one}
    if resource.plural in _PLAIN_COUNTS and not resource.group:
        amounts[resource.plural] = one
    if resource is PODS and value.get("status", {}).get("phase") not in _OVER:
        amounts |= {"pods": one} | _computed(value)
    return amounts


def _computed(pod: Object) -> Amounts:
    amounts: Amounts = {}
    for container in pod["spec"]["containers"]:
        for kind in ("requests", "limits"):
            for name, text in container.get("resources", {}).get(kind, {}).items():
                if name in _COMPUTED:
                    whole = f"{kind}.{name}"
                    amounts[whole] = amounts.get(whole, Decimal(0)) + quantity.parse(text)
    return amounts | {
        name: amounts[f"requests.{name}"] for name in _COMPUTED if f"requests.{name}" in amounts
    }


def _unspecified(pod: Object, hard: Amounts) -> str:
    """What a quota bounds and a container leaves open, as `limits.memory for: main`."""
    open_ = []
    for name in sorted(hard):
        kind, _, what = name.rpartition(".")
        if what not in _COMPUTED or kind not in {"", "requests", "limits"}:
            continue
        containers = [
            one["name"]
            for one in pod["spec"]["containers"]
            if what not in one.get("resources", {}).get(kind or "requests", {})
        ]
        if containers:
            open_.append(f"{name} for: {','.join(sorted(containers))}")
    return "; ".join(open_)


def _words(names: list[str], amounts: Amounts) -> str:
    return ",".join(f"{name}={text(amounts.get(name, Decimal(0)))}" for name in names)


def text(amount: Decimal) -> str:
    """An amount as a quantity: whole, in powers of 1024 where it is one, else in thousandths."""
    if amount != amount.to_integral_value():
        return f"{int(amount * 1000)}m"
    for suffix, unit in _UNITS:
        if amount and amount % unit == 0:
            return f"{int(amount / unit)}{suffix}"
    return str(int(amount))
