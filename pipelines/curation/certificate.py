"""Certificate: what a second look at the finished splits finds that is on both sides of a cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipelines.curation.splits import SPLITS
from pipelines.curation.ties import MIN_PROMPT_SIMILARITY, MIN_SIMILARITY, NearTies


def certify(
    split: np.ndarray,
    group: np.ndarray,
    *,
    near: Sequence[NearTies],
    keys: Mapping[str, np.ndarray],
    ratios: tuple[float, float, float],
    cluster: np.ndarray | None = None,
) -> dict[str, Any]:
    """What crosses from one split to another, counted anew from pairs and values, and how the sizes came out.

    `near` are independent searches, the last one made after the split. The groups that the split was made from are not relied on.
    `compared` counts the pairs, and the values that several rows share, by kind of tie; `crossing` those of them that are in more than
    one split; `groups_crossing` all of these, 0 when no split can tell of another.
    """
    pairs = np.unique(np.concatenate([found.left * len(split) + found.right for found in near]))
    crossing = {"near_duplicate": int(np.count_nonzero(split[pairs // len(split)] != split[pairs % len(split)]))}
    compared = {"near_duplicate": len(pairs)}
    for kind, first in keys.items():
        tied = np.flatnonzero(first >= 0)
        rows_of_value = np.bincount(first[tied], minlength=len(split))
        compared[kind] = int(np.count_nonzero(rows_of_value > 1))
        # A value crosses when its rows, taken together, are in more than one split.
        cells = np.unique(first[tied] * len(SPLITS) + split[tied])
        _, splits_of_value = np.unique(cells // len(SPLITS), return_counts=True)
        crossing[kind] = int(np.count_nonzero(splits_of_value > 1))
    rows = len(split)
    achieved = np.bincount(split, minlength=3) / max(rows, 1)
    return {
        "groups_crossing": sum(crossing.values()),
        "crossing": crossing,
        "compared": compared,
        "min_similarity": MIN_SIMILARITY,
        "min_prompt_similarity": MIN_PROMPT_SIMILARITY,
        "searches": len(near),
        "capped_rows": max(found.capped_rows for found in near),
        "template_rows": max(found.template_rows for found in near),
        "groups": len(np.unique(group)),
        "largest_group": int(np.bincount(group).max()) if rows else 0,
        "ratios_asked": dict(zip(SPLITS, map(float, ratios), strict=True)),
        "ratios_achieved": {name: round(float(share), 6) for name, share in zip(SPLITS, achieved, strict=True)},
        "cluster_difference": None if cluster is None else _cluster_difference(split, cluster),
    }


def _cluster_difference(split: np.ndarray, cluster: np.ndarray) -> dict[str, float | None]:
    """Per split, the share of rows that would have to change cluster for its mix to be that of the whole (0 = same mix); None if empty."""
    _, of_row = np.unique(cluster, return_inverse=True)
    clusters = int(of_row.max()) + 1 if len(of_row) else 0
    whole = np.bincount(of_row, minlength=clusters) / max(len(of_row), 1)
    found: dict[str, float | None] = {}
    for number, name in enumerate(SPLITS):
        rows = of_row[split == number]
        mix = np.bincount(rows, minlength=clusters) / max(len(rows), 1)
        found[name] = round(float(np.abs(mix - whole).sum() / 2), 4) if len(rows) else None
    return found
