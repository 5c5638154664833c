"""Which programs a POSIX shell script calls, read from its text."""

import re

_OWN_WORDS = """
    case do done elif else esac fi for if in then until while
    alias bg break cd command continue echo eval exec exit export false getopts hash kill printf pwd read
    readonly return set shift test times trap true type ulimit umask unset wait
"""
"""dash's keywords and builtins, which need no program."""

# A command begins a line, or stands behind one of these; assignments may stand before it.
_BEGIN = r"(?:^|[|;&(`]|\$\(|\b(?:do|then|else|elif|if|while|until)\b|!)"
_COMMAND = re.compile(
    rf"{_BEGIN}\s*(?:\w+=(?:\"[^\"]*\"|[^\s(]*)\s+)*([A-Za-z][\w.+-]*)(?![\w.+=-])", re.MULTILINE
)
_FUNCTION = re.compile(r"^(\w+)\(\)", re.MULTILINE)


def commands(script: str) -> set[str]:
    """Every word where a command can begin that is no keyword, no builtin and no function of the script."""
    text = re.sub(r"\\\n", " ", _without_comments(script))
    text = re.sub(r"'[^']*'|\$\(\((?:[^()]|\([^()]*\))*\)\)", "''", text)
    return set(_COMMAND.findall(text)) - set(_OWN_WORDS.split()) - set(_FUNCTION.findall(text))


def words(script: str) -> set[str]:
    """Every bare word: among them programs that others start, such as `timeout 5 tcpdump`."""
    return set(re.findall(r"(?<![\w./-])[A-Za-z][\w.+-]*(?![\w./=-])", _without_comments(script)))


def _without_comments(script: str) -> str:
    return "\n".join(line for line in script.splitlines() if not line.lstrip().startswith("#"))
