"""How well changed labels are found on banking77 (10,003 bank questions, 77 intents), beside cleanlab.

Run: python tests/benchmarks/bench_label_error.py [--share 0.05] [--rival]
Changes the labels of a share of the rows to another, drawn at random, and prints what is flagged, the precision and recall against the
changed rows, and seconds. The set holds label errors of its own, which count here as wrongly flagged. --rival (pip install cleanlab) adds
cleanlab's confident learning (Northcutt 2021) on cross-validated logistic regression over the same vectors; it takes minutes.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from pathlib import Path

import numpy as np

from pipelines import models
from pipelines.checks import all_checks
from pipelines.checks._label_odds import label_odds
from pipelines.features.embeddings import encode

SHARED = Path(__file__).resolve().parents[3] / "shared" / "datasets"


def show(name: str, flagged: np.ndarray, changed: np.ndarray, seconds: float) -> None:
    right = int((flagged & changed).sum())
    print(f"{name:<12}{flagged.sum():>9}{right / max(flagged.sum(), 1):>11.3f}{right / changed.sum():>9.3f}{seconds:>10.1f}", flush=True)


def rival_flags(vectors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    from cleanlab.filter import find_label_issues
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    chances = cross_val_predict(
        LogisticRegression(C=10, max_iter=300),
        vectors,
        labels,
        cv=StratifiedKFold(5, shuffle=True, random_state=0),
        method="predict_proba",
    )
    return np.asarray(find_label_issues(labels, chances, n_jobs=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--rival", action="store_true")
    options = parser.parse_args()
    with (SHARED / "banking77_train.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    texts = [row["text"] for row in rows]
    names, labels = np.unique([row["category"] for row in rows], return_inverse=True)
    _, groups = np.unique(texts, return_inverse=True)
    with tempfile.TemporaryDirectory() as folder:
        vectors = encode(texts, encoder=models.STATIC_ENCODER, cache=Path(folder))
    rng = np.random.default_rng(0)
    changed = np.zeros(len(rows), bool)
    changed[rng.choice(len(rows), round(options.share * len(rows)), replace=False)] = True
    labels[changed] = (labels[changed] + rng.integers(1, len(names), changed.sum())) % len(names)
    print(f"{len(rows):,} rows, {changed.sum()} labels changed\n{'':<12}{'flagged':>9}{'precision':>11}{'recall':>9}{'seconds':>10}")
    began = time.perf_counter()
    odds = label_odds(vectors, labels, groups).odds
    show("label_error", odds > all_checks()["label_error"].threshold, changed, time.perf_counter() - began)
    if options.rival:
        began = time.perf_counter()
        show("cleanlab", rival_flags(vectors, labels), changed, time.perf_counter() - began)


if __name__ == "__main__":
    main()
