"""The threads of one capture: what is done for many of its taps at once.

A capture of one tap has no threads of its own: everything is done by the one that is at it.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from contextvars import copy_context
from typing import Self, TypeVar

from workers.cluster.cluster import Cluster
from workers.work import Work

AT_ONCE = 16
"""How many taps are being asked about, or started, at once."""

_TICK_SECONDS = 0.5

_Item = TypeVar("_Item")
_T = TypeVar("_T")


class Crew:
    """Threads, each with a way to the cluster of its own (`Cluster`).

    Args:
        work: The capture.
        size: How many things there may be to do at once; 1 for no threads.
    """

    def __init__(self, work: Work, size: int) -> None:
        self._work = work
        self._mine = threading.local()
        self._connections = ExitStack()
        self._connecting = threading.Lock()
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="tap") if size > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()
        self._connections.close()

    def cluster(self) -> Cluster:
        """The cluster, for this thread alone.

        Raises:
            ClusterError: There is no way to it.
        """
        if not hasattr(self._mine, "cluster"):
            with self._connecting:
                self._mine.cluster = self._connections.enter_context(self._work.services.cluster())
        cluster: Cluster = self._mine.cluster
        return cluster

    def each(
        self,
        step: Callable[[_Item], _T],
        items: Sequence[_Item],
        *,
        most: int = AT_ONCE,
        meanwhile: Callable[[], None] | None = None,
    ) -> list[_T]:
        """Takes a step for each of the items, at most `most` at once; what came of them, in their order.

        All have been taken, or have failed, when it returns.

        Args:
            step: What is done.
            items: For what.
            most: At once.
            meanwhile: Called about every half second by this thread, where others do the work.

        Raises:
            What the first step raised that did. The others are told by `Work.refuse_if_leaving`.
        """
        if self._pool is None:
            return [step(item) for item in items]
        free = threading.Semaphore(most)

        def bounded(item: _Item) -> _T:
            with free:
                try:
                    return step(item)
                except BaseException as error:
                    self._work.broken = self._work.broken or error
                    raise

        futures = [self._pool.submit(copy_context().run, bounded, item) for item in items]
        try:
            for _ in _until_done(futures):
                if meanwhile is not None:
                    meanwhile()
        except BaseException as error:  # noqa: BLE001, it is raised below
            # Whatever ends this thread's waiting ends the others' work, too.
            self._work.broken = self._work.broken or error
            wait(futures)
        if self._work.broken is not None:
            raise self._work.broken
        return [future.result() for future in futures]


def _until_done(futures: Sequence[Future[_T]]) -> Iterator[None]:
    while wait(futures, timeout=_TICK_SECONDS).not_done:
        yield
