"""Executor: runs the same pure function over many parts; locally on threads, or in processes where Python itself is the work."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Protocol, TypeVar

from pipelines.errors import WorkbenchError

Part = TypeVar("Part")
Result = TypeVar("Result")


class Executor(Protocol):
    """What a cluster engine has to offer to run the pipelines: apply a pure function to parts."""

    def map(self, function: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        """Results as they finish, in no particular order. The first exception is raised and the rest is not started."""
        ...


class InTurn:
    """One part after the other, in this thread."""

    def map(self, function: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        """Results in order."""
        return map(function, parts)


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


class Processes:
    """Processes on this machine, for functions that hold Python's lock. They start in seconds and end with `map`.

    The function is a public one of a module, parts and results are JSON values: nothing is pickled, and unlike with `multiprocessing` the
    caller's own script is not run again.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1

    def map(self, function: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        """Results as they finish. A WorkbenchError is raised as one, any other as RuntimeError with the traceback of the process."""
        started = [_Process(f"{function.__module__}:{function.__qualname__}") for _ in range(self.workers)]
        free = list(started)
        with ThreadPoolExecutor(self.workers, thread_name_prefix="winnow") as pool:  # a thread waits for each process
            try:

                def ask(part: Part) -> Any:
                    process = free.pop()
                    answer = process.ask(part)
                    free.append(process)
                    return answer

                yield from _each(pool, ask, parts, self.workers)
            finally:
                for process in started:
                    process.stop()


def _each(pool: ThreadPoolExecutor, ask: Callable[[Part], Any], parts: Iterable[Part], workers: int) -> Iterator[Any]:
    waiting: set[Future[Any]] = set()
    for part in parts:
        waiting.add(pool.submit(ask, part))
        if len(waiting) >= workers:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    while waiting:
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        yield from (future.result() for future in done)


class _Process:
    """A process that answers one part at a time, a line of JSON each way."""

    def __init__(self, function: str) -> None:
        code = f"import sys; sys.path[:] = {sys.path!r}; from pipelines.executor import serve; serve({function!r})"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def ask(self, part: Any) -> Any:
        """The result for a part."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(part) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a worker process ended with status {self._process.wait()}; the computer may be out of memory")
        answer = json.loads(line)
        if "message" in answer:
            raise WorkbenchError(answer["message"])
        if "traceback" in answer:
            raise RuntimeError(answer["traceback"])
        return answer["result"]

    def stop(self) -> None:
        """Ends the process, in the middle of a part if need be."""
        self._process.terminate()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()


def serve(function: str) -> None:
    """Answers parts from stdin until it is closed: the inside of a process of `Processes`. What a library prints goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    module, name = function.split(":")
    work = getattr(importlib.import_module(module), name)
    for line in sys.stdin:
        try:
            answer = {"result": work(json.loads(line))}
        except WorkbenchError as error:
            answer = {"message": str(error)}
        except Exception:
            answer = {"traceback": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
