"""Did-you-mean: which names that exist a person may have meant by one that does not. Pure."""

from collections.abc import Iterable
from difflib import SequenceMatcher

_CLOSE = 0.6
"""How alike two names must be (difflib's ratio) when neither is a part of the other."""


def suggest(wanted: str, names: Iterable[str], *, limit: int = 3) -> tuple[str, ...]:
    """The names most likely meant, best first.

    A pod's name is its Deployment's, its ReplicaSet's hash and five letters of its own, joined by dashes; so
    `cheddar` means each pod of that Deployment, and a pod that was replaced means its successors.
    """
    ranked = sorted((*_distance(wanted, name), name) for name in set(names))
    return tuple(name for kind, unlike, name in ranked if kind < _FAR or unlike <= 1 - _CLOSE)[:limit]


def did_you_mean(wanted: str, names: Iterable[str]) -> str:
    """A question to put behind a refusal, with a space in front, or "" when nothing is near."""
    found = suggest(wanted, names)
    if not found:
        return ""
    *first, last = found
    return f" Did you mean {', '.join(first)} or {last}?" if first else f" Did you mean {last}?"


def _distance(wanted: str, name: str) -> tuple[int, float]:
    """How far a name is: the kind of kinship first, then how unlike the letters are (0 to 1)."""
    unlike = 1 - SequenceMatcher(None, wanted, name, autojunk=False).ratio()
    replica_set, _, _ = wanted.rpartition("-")
    deployment, _, _ = replica_set.rpartition("-")
    kinships = (
        name.startswith(f"{wanted}-"),
        bool(replica_set) and name.startswith(f"{replica_set}-"),
        name.endswith(f"-{wanted}"),
        bool(deployment) and name.startswith(f"{deployment}-"),
    )
    return (kinships.index(True) if True in kinships else _FAR), unlike


_FAR = 4
"""The kind of a name that is no kin: only its letters can speak for it."""
