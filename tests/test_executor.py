import threading

import pytest

from pipelines.executor import Threads


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
