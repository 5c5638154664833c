"""Programs that travel: shell and Perl files of these packages, sent as an argument of an exec."""

from functools import cache
from importlib.resources import files


@cache
def script(package: str, name: str) -> str:
    """The program without its comments and indentation.

    An exec's arguments travel in a URL, and some proxies in front of an API server take no more than 8 kB.

    Args:
        package: Where it lies, for example `workers.tap`.
        name: The file's name.
    """
    lines = (line.strip() for line in files(package).joinpath(name).read_text("utf-8").splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("#"))
