"""The targets of a request: the words it begins with.

Several are separated by spaces or commas, the two ends of a conversation by `->`. They end at the first word
that is none: a filter has a slash only behind an address or in arithmetic, a target only behind a name.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from workers.request.quoting import inert
from workers.request.request import DEFAULT_CLUSTER, Target, named
from workers.request.target import UsageError, parse_target
from workers.request.target_words import looks_like_target

MOST_TARGETS = 20

_MOST_IN_SHORT = 5

_ARROW = re.compile(r"-+>")
_END = "->"


def take_targets(words: Sequence[str], clusters: Sequence[str]) -> tuple[tuple[Target, ...], bool, list[str]]:
    """Takes the targets from the front of a request's words, of which there is at least one.

    Returns:
        The targets, each once; whether they are the two ends of a conversation; and the words behind them.

    Raises:
        UsageError: In one sentence what to type instead.
    """
    texts, rest = _split(words)
    sides = _sides(texts or [""])
    targets: list[Target] = []
    for text in (text for side in sides for text in side):
        target = _in_one_cluster(text, targets, clusters)
        if target not in targets:
            targets.append(target)
    if len(targets) > MOST_TARGETS:
        raise UsageError(
            f"These are {len(targets)} targets: name at most {MOST_TARGETS}, or a workload, as in "
            f"`/podcap {targets[0].namespace or 'NAMESPACE'}/deploy/NAME`."
        )
    if len(sides) > 1:
        _check_ends(sides, targets)
    return tuple(targets), len(sides) > 1, rest


def read_targets(text: str, cluster: str) -> tuple[tuple[Target, ...], bool]:
    """The targets that `request.named` wrote, and whether they are two ends.

    Raises:
        UsageError: It wrote something else.
    """
    targets, ends, rest = take_targets(text.removeprefix(f"{cluster}:").split(), (cluster,))
    if rest:
        raise UsageError(f"`{text}` is no list of targets.")
    return targets, ends


def in_short(text: str, cluster: str) -> str:
    """All targets that `request.named` wrote, or the first of many: `shop/web-0, shop/svc/db and 4 more`."""
    try:
        targets, ends = read_targets(text, cluster)
    except UsageError:  # an older podcap's words
        return text
    names = [named(replace(target, cluster=DEFAULT_CLUSTER)) for target in targets]
    more = len(names) - _MOST_IN_SHORT
    shown = (" -> " if ends else ", ").join(names[:_MOST_IN_SHORT])
    return f"{shown} and {more} more" if more > 0 else shown


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The texts of the targets, with `->` between two ends; and the words behind them."""
    texts: list[str] = []
    follows = True
    for number, word in enumerate(words):
        joins = texts and (_ARROW.match(word) or word.startswith(","))
        if not (follows or joins or looks_like_target(_unquoted(word))):
            return texts, list(words[number:])
        for text in _pieces(_unquoted(word)):
            texts.append(text)
            follows = text == _END
        follows = follows or word.endswith(",")
    return texts, []


def _pieces(word: str) -> list[str]:
    """The targets and arrows in one word; one that is nothing of these comes back as it is."""
    pieces: list[str] = []
    for text in _ARROW.split(word):
        pieces += [*_at_commas(text), _END]
    return pieces[:-1] if pieces[:-1] or word in ("", ",") else [word]


def _at_commas(text: str) -> list[str]:
    """The targets in a text without arrows: a comma inside a label selector belongs to the selector."""
    texts: list[str] = []
    for part in text.split(","):
        if texts and _goes_on(texts[-1], part):
            texts[-1] += f",{part}"
        elif part:
            texts.append(part)
    return texts


def _goes_on(before: str, part: str) -> bool:
    """Whether this is the next requirement of a selector: a key's prefix is a DNS name, no namespace."""
    _, _, selector = before.partition("/")
    if not part or not ("=" in selector or selector.startswith("!")):
        return False
    prefix, slash, _ = part.partition("/")
    return not slash or "." in prefix or prefix.startswith("!")


def _sides(texts: Sequence[str]) -> list[list[str]]:
    sides: list[list[str]] = [[]]
    for text in texts:
        if text == _END:
            sides.append([])
        else:
            sides[-1].append(text)
    return sides


def _in_one_cluster(text: str, before: Sequence[Target], clusters: Sequence[str]) -> Target:
    """The target of a text; the cluster of the first one is that of the others."""
    if not before:
        return parse_target(text, clusters)
    cluster = before[0].cluster
    spelled = text if ":" in text.partition("/")[0] else f"{cluster}:{text}"
    target = parse_target(spelled, clusters)
    if target.cluster != cluster:
        raise UsageError(
            f"A capture is made in one cluster, and this begins in `{cluster}`: ask for `{target.cluster}` "
            "in a request of its own."
        )
    return target


def _check_ends(sides: Sequence[Sequence[str]], targets: Sequence[Target]) -> None:
    if len(sides) == len(targets) == 2 and all(len(side) == 1 for side in sides):  # noqa: PLR2004, both ends
        return
    first = named(targets[0]) if targets else "NAMESPACE/POD"
    raise UsageError(
        "`-&gt;` stands between two ends, one target at each: "
        f"write `/podcap {inert(first, 300)} -&gt; NAMESPACE/POD`."
    )


def _unquoted(word: str) -> str:
    """A word without quotes around it."""
    if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'":
        return word[1:-1]
    return word
