import numpy as np

from pipelines.curation.certificate import certify
from pipelines.curation.ties import NearTies

RATIOS = (0.5, 0.25, 0.25)


def certified(split, *, left=(), right=(), cluster=None, **keys):
    rows = np.arange(len(split))
    near = [NearTies(np.array(left, np.int64), np.array(right, np.int64), 0)]
    keys = {kind: np.array(first) for kind, first in keys.items()}
    return certify(np.array(split, np.int8), rows, near=near, keys=keys, ratios=RATIOS, cluster=cluster)


def test_a_pair_on_both_sides_of_a_cut_is_counted():
    found = certified([0, 0, 1, 2], left=[0, 0, 1], right=[1, 2, 3])
    assert found["crossing"] == {"near_duplicate": 2}
    assert (found["groups_crossing"], found["compared"]["near_duplicate"]) == (2, 3)


def test_a_pair_found_by_two_searches_counts_once():
    search = NearTies(np.array([0]), np.array([1]), 3)
    found = certify(np.array([0, 1], np.int8), np.arange(2), near=[search, search], keys={}, ratios=RATIOS)
    assert (found["crossing"], found["searches"], found["capped_rows"]) == ({"near_duplicate": 1}, 2, 3)


def test_a_value_in_more_than_one_split_is_counted_once():
    found = certified([0, 1, 2, 0, 0], equal_text=[0, 0, 0, 3, 3], same_customer=[-1, -1, 2, 3, 4])
    assert found["crossing"] == {"near_duplicate": 0, "equal_text": 1, "same_customer": 0}
    assert found["compared"] == {"near_duplicate": 0, "equal_text": 2, "same_customer": 0}


def test_rows_without_a_value_are_tied_to_nothing():
    assert certified([0, 1, 2], same_customer=[-1, -1, -1])["groups_crossing"] == 0


def test_sizes_are_told_as_asked_and_as_reached():
    found = certified([0, 0, 0, 1])
    assert found["ratios_asked"] == {"train": 0.5, "validation": 0.25, "test": 0.25}
    assert found["ratios_achieved"] == {"train": 0.75, "validation": 0.25, "test": 0.0}


def test_the_mix_of_clusters_is_compared_with_the_whole():
    found = certified([0, 0, 1, 1], cluster=np.array([5, 9, 5, 5]))
    # The whole has 3 of 4 rows in cluster 5; train has 1 of 2, validation 2 of 2.
    assert found["cluster_difference"] == {"train": 0.25, "validation": 0.25, "test": None}
