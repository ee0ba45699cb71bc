import os
import threading

import psutil
import pytest

from pipelines.errors import WorkbenchError
from pipelines.executor import Processes, Threads


def test_every_part_is_done_once():
    assert sorted(Threads(3).map(lambda n: n * n, range(50))) == [n * n for n in range(50)]


def test_no_more_than_two_parts_per_worker_are_taken_ahead():
    taken = []

    def parts():
        for n in range(100):
            taken.append(n)
            yield n

    results = Threads(2).map(lambda n: n, parts())
    next(results)
    assert len(taken) <= 6


def test_the_first_error_is_raised_and_the_rest_not_started():
    started = []
    release = threading.Event()

    def work(n: int) -> int:
        started.append(n)
        if n == 0:
            raise ValueError("row 0")
        release.wait(5)
        return n

    with pytest.raises(ValueError, match="row 0"):
        try:
            list(Threads(1).map(work, range(1000)))
        finally:
            release.set()
    assert len(started) < 5


def square(number: int) -> dict[str, int]:
    """For processes: prints, as libraries do, and returns a JSON value."""
    print("a library says something")
    if number == 13:
        raise WorkbenchError("Thirteen is not a number here. Leave it out.")
    if number == 14:
        raise ValueError("fourteen")
    if number == 15:
        os._exit(9)
    return {"number": number, "square": number * number}


def test_processes_do_every_part_once_and_answer_in_json():
    found = list(Processes(2).map(square, range(9)))
    assert sorted(each["square"] for each in found) == [n * n for n in range(9)]


@pytest.mark.parametrize(
    ("number", "error", "words"),
    [(13, WorkbenchError, "^Thirteen is not"), (14, RuntimeError, "ValueError: fourteen"), (15, RuntimeError, "status 9")],
)
def test_what_goes_wrong_in_a_process_is_raised_here_and_the_processes_end(number, error, words):
    children = {p.pid for p in psutil.Process().children()}
    with pytest.raises(error, match=words):
        list(Processes(2).map(square, [1, number, 2]))
    assert {p.pid for p in psutil.Process().children()} <= children


def test_processes_end_when_nobody_wants_more_results():
    children = {p.pid for p in psutil.Process().children()}
    results = Processes(2).map(square, range(1000))
    next(results)
    results.close()
    assert {p.pid for p in psutil.Process().children()} <= children
