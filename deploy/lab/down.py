"""Ends the lab: every process, every cgroup, every file; as often as one likes, and after any crash."""

import shutil

from deploy.lab.cgroups import Tree
from deploy.lab.places import Places


def end(places: Places) -> bool:
    """Ends everything of the lab and removes its folder; whether there was anything.

    Raises:
        TimeoutError: The kernel does not let go of a process or cgroup.
    """
    if not places.is_labs_own() and not Tree(places.cgroup).exists():
        return False
    with places.alone():
        found = clear(places)
        places.lock.unlink()
    places.state.rmdir()
    return found


def clear(places: Places, *, keep_logs: bool = False) -> bool:
    """Ends everything of the lab; namespaces, interfaces and mounts go with the processes that held them.

    Args:
        places: The lab's, which nobody else uses meanwhile.
        keep_logs: Whether what the lab's processes wrote stays, to see what went wrong.

    Returns:
        Whether there was anything to end.

    Raises:
        TimeoutError: The kernel does not let go of a process or cgroup.
    """
    tree = Tree(places.cgroup)
    found = tree.exists() or places.run.exists()
    tree.kill()
    tree.remove()
    shutil.rmtree(places.run, ignore_errors=True)
    for path in places.state.iterdir():
        if path == places.lock or (keep_logs and path == places.logs):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    return found
