"""How many of the planted defects of the sample are found, and how many findings are planted ones.

Run: python tests/benchmarks/bench_sample_truth.py [--show]
Prints, per planted defect: n, recall, precision of the checks that should find it, and with --show the rows that differ.
Precision counts a finding as right when the row was planted with a defect that this check is meant to see (`SEES`).
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from pipelines.curation.issues import issues
from pipelines.scan import scan
from pipelines.sources.ingest import import_source
from pipelines.store import query
from pipelines.store.project import Project

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
FOUND_BY = {
    "exact_duplicate": ("exact_duplicate",),
    "near_duplicate": ("near_duplicate",),
    "contradictory_label": ("conflicting_answers",),
    "invalid_json": ("invalid_json", "json_schema_drift", "unbalanced_fence"),
    "missing_field": ("json_schema_drift",),
    "truncated_answer": ("truncated_answer", "invalid_json"),
    "wrong_language": ("answer_language",),
    "refusal": ("refusal",),
    "leaked_email": ("email_address",),
    "leaked_phone": ("phone_number",),
    "leaked_api_key": ("secret",),
    "wrong_role": ("unknown_role", "role_order", "no_answer", "last_turn_not_answer"),
    "empty_turn": ("empty_turn",),
    "mojibake": ("mojibake",),
    "repetition": ("repetition",),
    "off_topic": ("off_topic",),
}
SEES = {
    "near_duplicate": {"near_duplicate", "exact_duplicate", "contradictory_label"},
    "exact_duplicate": {"exact_duplicate", "contradictory_label"},
    "invalid_json": {"invalid_json", "truncated_answer"},
    "truncated_answer": {"truncated_answer", "invalid_json", "repetition"},  # the planted loops are cut off as well
    "json_schema_drift": {
        "missing_field",
        "invalid_json",
        "truncated_answer",
        "empty_turn",
        "wrong_role",
    },  # swapped roles: prose as answer
    "unbalanced_fence": {"invalid_json", "truncated_answer"},
    "no_answer": {"wrong_role"},
    "last_turn_not_answer": {"wrong_role"},
    "role_order": {"wrong_role"},
    "unknown_role": {"wrong_role"},
}


def measure(folder: Path) -> list[dict[str, object]]:
    """One row per defect: n, found, recall, flagged, precision, missed rows, false rows."""
    project = Project.create(folder)
    imported = import_source(project, str(SAMPLE / "tickets.jsonl"))
    scan(project)
    with (SAMPLE / "truth.csv").open(encoding="utf-8") as file:
        truth = list(csv.DictReader(file))
    defect_by_row = {int(t["row"]): t["defect"] for t in truth}
    rows_by_defect: dict[str, set[int]] = defaultdict(set)
    for row, defect in defect_by_row.items():
        rows_by_defect[defect].add(row)
    with query.connect(project) as connection:
        found = connection.execute("SELECT record, list(row ORDER BY row) FROM source_rows GROUP BY record").fetchall()
    merged = {row for _, rows in found for row in rows[1:]}
    rows_by_record = dict(found)
    flagged: dict[str, set[int]] = defaultdict(set)
    for issue in issues(project):
        flagged[issue["check"]].add(rows_by_record[issue["record"]][0])
    quarantined = {json.loads(line)["row"] for line in Path(imported.quarantine).read_text(encoding="utf-8").splitlines()}
    results = []
    for defect, checks in FOUND_BY.items():
        planted = rows_by_defect[defect]
        hits = set().union(*(flagged[c] for c in checks))
        seen = (hits | merged if defect == "exact_duplicate" else hits) & planted
        wrong = {row for c in checks for row in flagged[c] if defect_by_row.get(row) not in SEES.get(c, {defect}) | {defect}}
        results.append(_row(defect, planted, seen, hits, wrong))
    results.append(
        _row(
            "unreadable_row",
            rows_by_defect["unreadable_row"],
            quarantined & rows_by_defect["unreadable_row"],
            quarantined,
            quarantined - rows_by_defect["unreadable_row"],
        )
    )
    return results


def _row(defect: str, planted: set[int], seen: set[int], hits: set[int], wrong: set[int]) -> dict[str, object]:
    right = len(hits) - len(wrong)
    return {
        "defect": defect,
        "n": len(planted),
        "recall": len(seen) / len(planted),
        "flagged": len(hits),
        "precision": right / len(hits) if hits else None,
        "missed": sorted(planted - seen),
        "false": sorted(wrong),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", action="store_true", help="list missed and wrongly flagged rows")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder) / "project")
    print(f"{'planted defect':<22}{'n':>4}{'recall':>9}{'flagged':>9}{'precision':>11}")
    for r in results:
        precision = "-" if r["precision"] is None else f"{r['precision']:.3f}"
        print(f"{r['defect']:<22}{r['n']:>4}{r['recall']:>9.3f}{r['flagged']:>9}{precision:>11}")
        if options.show and (r["missed"] or r["false"]):
            print(f"    missed rows {r['missed']}; flagged but not planted {r['false']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
