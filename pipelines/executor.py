"""Executor: runs the same pure function over many parts; locally on threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Protocol, TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")


class Executor(Protocol):
    """What a cluster engine has to offer to run the pipelines: apply a pure function to parts."""

    def map(self, function: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        """Results as they finish, in no particular order. The first exception is raised and the rest is not started."""
        ...


class Threads:
    """The local executor: no engine, no serialisation. Kernels that release the GIL use all cores."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1

    def map(self, function: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        """Results as they finish. At most two parts per worker are in memory at a time."""
        waiting: set[Future[Result]] = set()
        with ThreadPoolExecutor(self.workers, thread_name_prefix="winnow") as pool:
            try:
                for part in parts:
                    waiting.add(pool.submit(function, part))
                    if len(waiting) >= 2 * self.workers:
                        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                        yield from (future.result() for future in done)
                while waiting:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            finally:
                for future in waiting:
                    future.cancel()
