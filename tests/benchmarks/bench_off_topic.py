"""How well rows off the set's topics are found: rows of one public set hidden in another, and the planted rows of the sample.

Run: python tests/benchmarks/bench_off_topic.py [--above 3.5]
Prints, per mixture: rows, planted rows, average precision by the ten nearest prompts alone and by the check, then the check's precision
and recall at its threshold. Strangers that are really about the set's subject count as planted all the same.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipelines import models
from pipelines.checks import all_checks
from pipelines.checks.off_topic import deviations
from pipelines.scan import RecordSet
from pipelines.sources.ingest import import_source
from pipelines.store import query
from pipelines.store.project import Project
from pipelines.store.tables import RECORD_SCHEMA

SHARED = Path(__file__).resolve().parents[3] / "shared" / "datasets"
SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
MIXTURES = [
    ("banking77_test.csv", "gsm8k_test.jsonl", 0.05),
    ("banking77_test.csv", "gsm8k_test.jsonl", 0.01),
    ("banking77_test.csv", "gpteacher_roleplay.json", 0.05),
    ("banking77_test.csv", "alpaca_en_demo.json", 0.02),
    ("banking77_test.csv", "alpaca_zh_demo.json", 0.02),
    ("pubmedqa_pqal.json", "alpaca_en_demo.json", 0.05),
    ("pubmedqa_pqal.json", "gsm8k_test.jsonl", 0.02),
    ("gsm8k_test.jsonl", "alpaca_en_demo.json", 0.05),
    ("gsm8k_test.jsonl", "pubmedqa_pqal.json", 0.02),
    ("gpteacher_roleplay.json", "banking77_test.csv", 0.03),
    ("gpteacher_codegen.json", "banking77_test.csv", 0.02),
    ("gpteacher_codegen.json", "alpaca_en_demo.json", 0.02),
]


class Mixture:
    """The features that the check looks at, of rows of one set and some of another."""

    def __init__(self, *parts: tuple[RecordSet, np.ndarray]) -> None:
        self.embeddings = np.concatenate([features.embeddings[rows] for features, rows in parts])
        self.answer_embeddings = np.concatenate([features.answer_embeddings[rows] for features, rows in parts])
        self._answers = pa.chunked_array([features.column("answer").take(pa.array(rows)).combine_chunks() for features, rows in parts])

    def column(self, name: str) -> pa.ChunkedArray:
        """The answers, the only column that the check reads."""
        assert name == "answer" and name in RECORD_SCHEMA.names
        return self._answers


def average_precision(values: np.ndarray, truth: np.ndarray) -> float:
    """Mean precision at the places of the true rows, highest value first."""
    hits = truth[np.argsort(-values, kind="stable")]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())


def ten_nearest(vectors: np.ndarray) -> np.ndarray:
    """The check as it was before answers were looked at."""
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -1.0)
    return deviations(np.partition(similarity, -10, axis=1)[:, -10:].mean(axis=1))


def show(name: str, features: Mixture, truth: np.ndarray, above: float) -> None:
    values = np.array(all_checks()["off_topic"].measure(features).values)
    flagged = values > above
    right = int((flagged & truth).sum())
    before, now = average_precision(ten_nearest(features.embeddings), truth), average_precision(values, truth)
    precision = f"{right / flagged.sum():>10.2f}" if flagged.any() else f"{'-':>10}"
    print(f"{name:<52}{len(values):>6}{truth.sum():>9}{before:>8.2f}{now:>8.2f}{precision}{right / truth.sum():>8.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--above", type=float, default=all_checks()["off_topic"].threshold)
    options = parser.parse_args()
    print(f"{'':<52}{'rows':>6}{'planted':>9}{'before':>8}{'now':>8}{'precision':>10}{'recall':>8}")
    with tempfile.TemporaryDirectory() as folder:
        sets: dict[str, RecordSet] = {}

        def features(path: Path, encoder: str = models.STATIC_ENCODER) -> RecordSet:
            if path.name not in sets:
                project = Project.create(Path(folder) / path.stem)
                import_source(project, str(path))
                sets[path.name] = RecordSet(project, encoder, lambda **_: None)
            return sets[path.name]

        sample = features(SAMPLE / "tickets.jsonl", models.ENCODER)
        with query.connect(sample.project) as connection:
            row_by_record = dict(connection.execute("SELECT record, min(row) FROM source_rows GROUP BY record").fetchall())
        with (SAMPLE / "truth.csv").open(encoding="utf-8") as file:
            planted = {int(row["row"]) for row in csv.DictReader(file) if row["defect"] == "off_topic"}
        truth = np.array([row_by_record[record] in planted for record in sample.ids])
        show("sample", Mixture((sample, np.arange(len(sample.ids)))), truth, options.above)
        for most, few, share in MIXTURES if SHARED.is_dir() else ():
            base, other = features(SHARED / most), features(SHARED / few)
            count = max(10, int(share * len(base.ids)))
            rows = np.random.default_rng(0).choice(len(other.ids), count, replace=False)
            truth = np.arange(len(base.ids) + count) >= len(base.ids)
            name = f"{most.split('.')[0]} with {100 * share:.0f} % {few.split('.')[0]}"
            show(name, Mixture((base, np.arange(len(base.ids))), (other, rows)), truth, options.above)


if __name__ == "__main__":
    main()
