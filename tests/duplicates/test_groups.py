import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.duplicates.groups import components


def smallest_reachable(n, pairs):
    labels = list(range(n))
    for _ in range(n):
        for a, b in pairs:
            labels[a] = labels[b] = min(labels[a], labels[b])
    return labels


@given(st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))))))
def test_a_group_is_all_that_pairs_connect_under_its_smallest_row(case):
    n, pairs = case
    left, right = np.array([a for a, _ in pairs], dtype=np.int64), np.array([b for _, b in pairs], dtype=np.int64)
    assert components(n, left, right).tolist() == smallest_reachable(n, pairs)


def test_rows_without_pairs_stand_alone():
    nothing = np.array([], dtype=np.int64)
    assert components(3, nothing, nothing).tolist() == [0, 1, 2]
    assert components(0, nothing, nothing).tolist() == []
    assert components(4, np.array([1, 2]), np.array([2, 3])).dtype == np.int64
