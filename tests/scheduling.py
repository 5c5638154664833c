"""Which tests follow one another in one process: those of a file, and those that share a podcap."""

from xdist.scheduler import LoadFileScheduling

_SHARING = "tests/e2e/one_podcap"


class Scheduling(LoadFileScheduling):
    """A file goes to whichever process is free; the files of the folder whose tests share a podcap as one."""

    def _split_scope(self, nodeid: str) -> str:
        return _SHARING if nodeid.startswith(f"{_SHARING}/") else super()._split_scope(nodeid)
