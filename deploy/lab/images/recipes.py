"""What is in each image: a table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_PROGRAMS = Path(__file__).parents[1] / "programs"

_SHELL = (
    *("dash", "basename", "cat", "chmod", "chown", "cksum", "cp", "cut", "date", "dd", "df", "dirname", "du"),
    *(
        "echo",
        "env",
        "expr",
        "false",
        "find",
        "flock",
        "grep",
        "head",
        "hostname",
        "id",
        "install",
        "ln",
        "ls",
    ),
    *("mawk", "md5sum", "mkdir", "mkfifo", "mktemp", "mv", "nice", "nohup", "nproc", "od", "paste", "printf"),
    *("pwd", "readlink", "realpath", "rm", "rmdir", "sed", "seq", "setsid", "sha256sum", "sleep", "sort"),
    *("split", "stat", "stty", "sync", "tail", "tee", "test", "timeout", "touch", "tr", "true", "truncate"),
    *("tty", "uname", "uniq", "wc", "whoami", "xargs", "yes"),
)


@dataclass(frozen=True)
class Recipe:
    """How an image is made.

    Attributes:
        programs: Names of programs of this machine; the libraries they need come along.
        packages: Debian packages of which every file comes along.
        python: Whether Python and its standard library come along.
        files: Path in the image -> file of the lab.
        links: Path in the image -> what the symbolic link says.
        command: Run when a pod names none (an image's entry point).
    """

    programs: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    python: bool = False
    files: Mapping[str, Path] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()


_SHELL_LINKS = {"/usr/bin/sh": "dash", "/usr/bin/awk": "mawk"}
_CHEESE = {"/srv/cheese.py": _PROGRAMS / "cheese.py"}
_VISITOR = {"/srv/visitor.py": _PROGRAMS / "visitor.py"}

RECIPES: Mapping[str, Recipe] = {
    "pause:lab": Recipe(programs=("sleep",), command=("/usr/bin/sleep", "infinity")),
    "podcap-agent:lab": Recipe(
        programs=(*_SHELL, "ip", "bridge", "ss", "tcpdump", "lsns", "nsenter"),
        packages=("perl-base",),
        links=_SHELL_LINKS,
        command=("sh",),
    ),
    "cheddar:lab": Recipe(
        programs=_SHELL,
        python=True,
        files=_CHEESE | _VISITOR,
        links=_SHELL_LINKS,
        command=("python3", "-I", "/srv/cheese.py"),
    ),
    "distroless:lab": Recipe(python=True, files=_CHEESE, command=("python3", "-I", "/srv/cheese.py")),
    "tls:lab": Recipe(python=True, files=_CHEESE, command=("python3", "-I", "/srv/cheese.py")),
    "dns:lab": Recipe(programs=("dnsmasq",), command=("dnsmasq",)),
}
