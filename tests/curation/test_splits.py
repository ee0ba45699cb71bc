import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.curation.splits import assign_splits, first_equal, leak_groups
from pipelines.records import content_hash

RATIOS = (0.8, 0.1, 0.1)


def ids(rows):
    return [content_hash(i) for i in range(rows)]


def sizes(assignment):
    return np.bincount(assignment.split, minlength=3).tolist()


pair_graphs = st.integers(1, 60).flatmap(
    lambda rows: st.tuples(st.just(rows), st.lists(st.tuples(st.integers(0, rows - 1), st.integers(0, rows - 1)), max_size=40))
)


@settings(max_examples=150)
@given(pair_graphs, st.integers(0, 3), st.lists(st.integers(0, 3), min_size=60, max_size=60))
def test_no_pair_and_no_value_is_ever_on_both_sides_of_a_cut(graph, seed, values):
    rows, pairs = graph
    left, right = np.array(pairs, np.int64).reshape(-1, 2).T
    # A third of the rows share one of three values; 0 means the row has none.
    value = pa.array([str(v) if v and i % 3 == 0 else None for i, v in enumerate(values[:rows])], pa.string())
    group = leak_groups(rows, pairs=[(left, right)], keys=[first_equal(value)])
    assigned = assign_splits(ids(rows), group, ratios=RATIOS, seed=seed)
    assert (assigned.split[left] == assigned.split[right]).all()
    for v in "123":
        assert len({int(s) for s, x in zip(assigned.split, value.to_pylist(), strict=True) if x == v}) <= 1
    assert sum(sizes(assigned)) == rows


@settings(max_examples=50)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=80), st.randoms(use_true_random=False))
def test_the_order_of_the_records_changes_nothing(member, random):
    order = list(range(len(member)))
    random.shuffle(order)
    names, cluster = np.array(ids(len(member))), np.array(member) % 3
    split = {}
    for arrangement in (list(range(len(member))), order):
        group = leak_groups(len(member), keys=[first_equal(pa.array([str(member[i]) for i in arrangement]))])
        assigned = assign_splits(names[arrangement].tolist(), group, cluster=cluster[arrangement], ratios=RATIOS, seed=1)
        found = dict(zip(names[arrangement].tolist(), assigned.split.tolist(), strict=True))
        assert split in ({}, found)
        split = found


def test_single_rows_are_split_exactly_as_asked():
    assert sizes(assign_splits(ids(1000), np.arange(1000), ratios=RATIOS)) == [800, 100, 100]
    assert sizes(assign_splits(ids(1000), np.arange(1000), ratios=(0.9, 0.1, 0.0))) == [900, 100, 0]


def test_small_groups_make_up_for_what_large_ones_leave_over():
    group = np.repeat([0, 70, 77], [70, 7, 7]).tolist() + list(range(84, 100))
    assigned = assign_splits(ids(100), np.array(group), ratios=RATIOS)
    assert sizes(assigned) == [80, 10, 10]


def test_each_split_has_every_cluster_in_the_share_of_the_whole():
    cluster = np.repeat([0, 1, 2], [500, 300, 200])
    assigned = assign_splits(ids(1000), np.arange(1000), cluster=cluster, ratios=RATIOS)
    for split in (1, 2):
        assert np.bincount(cluster[assigned.split == split]).tolist() == [50, 30, 20]


def test_clusters_too_small_for_every_split_still_add_up_to_the_ratios():
    assigned = assign_splits(ids(1000), np.arange(1000), cluster=np.arange(1000) // 4, ratios=RATIOS)
    assert sizes(assigned) == [800, 100, 100]


def test_another_seed_gives_another_split():
    splits = [assign_splits(ids(200), np.arange(200), ratios=RATIOS, seed=seed).split.tolist() for seed in (0, 1)]
    assert splits[0] != splits[1]


def test_dropping_some_rows_leaves_nearly_all_others_where_they_were():
    names = np.array(ids(2000))
    cluster = np.arange(2000) % 5
    before = dict(zip(names, assign_splits(names.tolist(), np.arange(2000), cluster=cluster, ratios=RATIOS).split, strict=True))
    stays = np.array([i % 20 != 7 for i in range(2000)])
    after = assign_splits(names[stays].tolist(), np.arange(stays.sum()), cluster=cluster[stays], ratios=RATIOS).split
    moved = sum(before[name] != split for name, split in zip(names[stays], after, strict=True))
    assert moved <= 0.02 * stays.sum()


def test_ten_groups_are_enough_for_every_split_to_get_one():
    assigned = assign_splits(ids(10), np.arange(10), ratios=(0.98, 0.01, 0.01))
    assert sizes(assigned) == [8, 1, 1]
    assert assigned.warnings == ()


def test_an_empty_split_of_few_groups_is_said_in_words():
    assigned = assign_splits(ids(6), np.array([0, 0, 0, 3, 3, 3]), ratios=RATIOS)
    assert sizes(assigned) == [6, 0, 0]
    assert "The test split is empty: the rows form only 2 groups" in assigned.warnings[0]


def test_a_split_nobody_asked_for_is_not_missed():
    assert assign_splits(ids(3), np.arange(3), ratios=(1.0, 0.0, 0.0)).warnings == ()


def test_a_giant_group_is_reported_with_its_size():
    group = np.array([0] * 30 + list(range(30, 200)))
    (warning,) = assign_splits(ids(200), group, ratios=RATIOS).warnings
    assert warning.startswith("30 of 200 rows (15%) are tied to each other")


def test_no_rows_no_splits():
    assert sizes(assign_splits([], np.empty(0, np.int64))) == [0, 0, 0]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_missing_and_empty_values_tie_nothing(kind):
    values = pa.chunked_array([pa.array(["a", None, ""], kind), pa.array(["a", "", "b"], kind)])
    assert first_equal(values).tolist() == [0, -1, -1, 0, -1, 5]
    assert first_equal(pa.array([None, None], kind)).tolist() == [-1, -1]


def test_a_million_rows_are_split_in_seconds():
    random = np.random.default_rng(0)
    rows = 1_000_000
    words = random.integers(0, 2**63, rows)
    names = [f"{w:016x}{0:016x}" for w in words]
    left, right = random.integers(0, rows, 300_000), random.integers(0, rows, 300_000)
    began = time.monotonic()
    group = leak_groups(rows, pairs=[(left, right)])
    assigned = assign_splits(names, group, cluster=random.integers(0, 80, rows), ratios=RATIOS)
    assert time.monotonic() - began < 20
    assert abs(np.array(sizes(assigned)) / rows - RATIOS).max() < 0.0001
