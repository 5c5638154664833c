"""A few lines of pods' logs as they stand in a thread, each beside who it was about. Pure."""

from workers.beside.beside import Around, Beside
from workers.beside.context_text import line_text, told_of
from workers.pod_logs.aligned import Aligned
from workers.pod_logs.moment import clock
from workers.pod_logs.pod_log import NOT_ALLOWED
from workers.request.quoting import inert
from workers.thread.words import count

MOST = 6
"""Lines in a thread."""

_LONGEST = 160
_ROOM = 2_800


def log_lines(around: Around) -> str:
    """A section of mrkdwn with the requests that tell most; "" when no log was read.

    Those whose client the log does not name come first, then failures, then others; of each pod in turn.
    """
    noted = [note for each in around.besides if each.log is not None for note in each.log.notes]
    noted = [note for note in noted if note != NOT_ALLOWED]
    chosen = _chosen(around)
    if not chosen:
        return f"Logs: {inert(noted[0], 300)}" if noted else ""
    lines = [f"{inert(_short(around, each), 60)} {_line(one, around)}" for each, one in chosen]
    rest = sum(len(found) for found in around.aligned.values()) - len(lines)
    more = (
        f"\n… and {count(rest, 'more request')}: the context file has {'it' if rest == 1 else 'them'}."
        if rest
        else ""
    )
    text = "\n".join(lines)
    whose = (
        "pods' own logs say"
        if sum(each.log is not None for each in around.besides) > 1
        else "pod's own log says"
    )
    return f"*What the {whose}*\n```\n{text[:_ROOM]}\n```{more}"


def _short(around: Around, each: Beside) -> str:
    """As in the tables: `traefik/cheddar-…zcdjm`."""
    known = around.names.name(each.pod.ips[0]) if each.pod.ips and not each.pod.host_network else None
    if known is None or (known.namespace, known.name) != (each.pod.namespace, each.pod.name):
        return each.name
    return known.short


def _chosen(around: Around) -> list[tuple[Beside, Aligned]]:
    queues = []
    for each in around.besides:
        found = sorted(around.aligned.get(each.number, ()), key=_dull)
        queues.append([(each, one) for one in found])
    turns = [queue[at] for at in range(MOST) for queue in queues if at < len(queue)]
    first = sorted(turns, key=lambda turn: _dull(turn[1]))[:MOST]
    return sorted(first, key=lambda turn: turn[1].line.at)


def _dull(one: Aligned) -> int:
    status = one.line.access.status if one.line.access is not None else None
    failed = status is None or status >= 500  # noqa: PLR2004, HTTP's server errors
    return 0 if one.differs else 1 if failed else 2 if one.peer is not None else 3


def _line(one: Aligned, around: Around) -> str:
    said, asked = told_of(one, around), one.line.access
    text = line_text(one.line)
    if asked is not None and asked.method:
        text = (
            f'{clock(one.line.at)} {asked.client or "-"} "{asked.method} {asked.path}" {asked.status or "-"}'
        )
    return inert(text, _LONGEST) + (f"\n    ← {inert(said, _LONGEST)}" if said else "")
