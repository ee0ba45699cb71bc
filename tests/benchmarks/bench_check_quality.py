"""How right and how fast each check is, as the Markdown table tests/benchmarks/checks.md.

Run: python -m tests.benchmarks.bench_check_quality [--speed-rows 20000] [--print]

Sample: the defects of data/sample, told in its truth.csv. Planted: real rows with a defect put in (tests/benchmarks/planted). Verified: rows of public data sets judged by reading, listed in
tests/benchmarks/verified/*.csv (check, file, row, truth; the file is one of data/sample or ../shared/datasets, rows count from 1 as the
importer counts, truth is 1 where the check should flag the row). Speed: CPU seconds of the check in a scan of mixed rows, on one core.
What has no planted defect, no verified row or no data set here shows a dash.
"""

from __future__ import annotations

import argparse
import csv
import functools
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from pipelines.checks import all_checks
from pipelines.curation.issues import issues
from pipelines.errors import WorkbenchError
from pipelines.records import Record
from pipelines.scan import scan
from pipelines.sources.ingest import import_source
from pipelines.store import query
from pipelines.store.project import Project
from pipelines.store.tables import records_to_table, row_to_record, write_parquet
from tests.benchmarks.bench_sample_truth import FOUND_BY, SAMPLE, SEES
from tests.benchmarks.mixed_rows import SHARED, write_mixed
from tests.benchmarks.planted import planted, plantings

HERE = Path(__file__).resolve().parent
VERIFIED = HERE / "verified"
TABLE = HERE / "checks.md"


@dataclass
class Score:
    """Rows that a check should flag and rows that it flags, among those whose truth is known."""

    true: set[object] = field(default_factory=set)
    flagged: set[object] = field(default_factory=set)
    wrong: set[object] = field(default_factory=set)

    @property
    def precision(self) -> str:
        return _share(len(self.flagged - self.wrong), len(self.flagged))

    @property
    def recall(self) -> str:
        return _share(len(self.true & self.flagged), len(self.true))


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2f} ({whole})" if whole else "–"


def rows_by_record(project: Project) -> dict[str, list[tuple[str, int]]]:
    """Where each record was found: file and row; several where equal rows were merged."""
    with query.connect(project) as connection:
        found = connection.execute("SELECT record, file, row FROM source_rows ORDER BY file, row").fetchall()
    places: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for record, file, row in found:
        places[record].append((file, row))
    return places


def flagged_rows(project: Project) -> dict[str, set[tuple[str, int]]]:
    """By check, every row of a flagged record."""
    places = rows_by_record(project)
    flagged: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for issue in issues(project):
        flagged[issue["check"]].update(places[issue["record"]])
    return flagged


def planted_scores(folder: Path) -> dict[str, Score]:
    """By the check that is first in line for a defect: how many planted rows it flags, and how many other rows."""
    project = Project.create(folder / "sample")
    import_source(project, SAMPLE / "tickets.jsonl")
    try:
        scan(project)
    except WorkbenchError as error:  # no sentence encoder here
        print(f"Off-topic rows of the sample are not measured: {error}", file=sys.stderr)
        scan(project, without=("embeddings",))
    with (SAMPLE / "truth.csv").open(encoding="utf-8") as file:
        defect_by_row = {int(truth["row"]): truth["defect"] for truth in csv.DictReader(file)}
    merged = {row for places in rows_by_record(project).values() for _, row in places[1:]}
    flagged = {check: {row for _, row in rows} for check, rows in flagged_rows(project).items()}
    flagged["exact_duplicate"] = flagged.get("exact_duplicate", set()) | merged  # the import merged them
    scores: dict[str, Score] = defaultdict(Score)
    for defect, checks in FOUND_BY.items():
        scores[checks[0]].true |= {row for row, planted in defect_by_row.items() if planted == defect}
    for check in {check for checks in FOUND_BY.values() for check in checks}:
        right = SEES.get(check, set()) | {defect for defect, checks in FOUND_BY.items() if check in checks}
        scores[check].flagged = set(flagged.get(check, set()))
        scores[check].wrong = {row for row in scores[check].flagged if defect_by_row.get(row) not in right}
    return scores


def planted_in_real(folder: Path, *, rows: int = 1_000, count: int = 50) -> dict[str, Score]:
    """By check, rows of a public data set with its defect put in. Rows that the check flags as they came are left out: nobody knows."""
    scores: dict[str, Score] = {}
    for check, planting in plantings().items():
        if not (SHARED / planting.base).is_file():
            print(f"{planting.base} is not here: {check} is not planted in it", file=sys.stderr)
            continue
        choose = random.Random(check)
        prepared = [(one, planting.prepare(one, choose) if planting.prepare else one) for one in _records(planting.base, folder)]
        used = [(one, ready) for one, ready in prepared if ready is not None]
        pairs = choose.sample(used, min(rows, len(used)))
        before = _flagged_ids(check, [ready for _, ready in pairs], folder)
        pairs = [(one, ready) for one, ready in pairs if ready.id not in before]
        made = planted(pairs, planting.plant, min(count, max(len(pairs) // 20, 10)), choose)  # few enough to be the exception
        others = [ready for number, (_, ready) in enumerate(pairs) if number not in made]
        sources = [pairs[number][1] for number in made] if planting.adds else []
        flagged = _flagged_ids(check, [*others, *sources, *made.values()], folder)
        true = {record.id for record in made.values()}
        wrong = flagged & {record.id for record in others}
        scores[check] = Score(true=set(true), flagged=(flagged & true) | wrong, wrong=set(wrong))
    return scores


@functools.cache
def _records(name: str, folder: Path) -> list[Record]:
    project = Project.create(folder / f"real-{name}")
    import_source(project, SHARED / name)
    return [row_to_record(row) for part in project.record_parts for row in pq.read_table(part).to_pylist()]


def _flagged_ids(check: str, records: Sequence[Record], folder: Path) -> set[str]:
    """The rows that one check flags among these, as they are: nothing is merged."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        project = Project.create(Path(place) / "project")
        kept = {record.id: record for record in records}
        write_parquet(records_to_table(list(kept.values()), 0), project.records_folder / "0001.parquet")
        scan(project, checks=[check])
        return {issue["record"] for issue in issues(project, check)}


def verified_rows() -> dict[str, dict[tuple[str, str, int], bool]]:
    """By file, what people said: (check, file, row) and whether the check should flag it."""
    truths: dict[str, dict[tuple[str, str, int], bool]] = defaultdict(dict)
    for path in sorted(VERIFIED.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file):
                if line["check"] not in all_checks():
                    print(f"{path.name}: there is no check {line['check']}", file=sys.stderr)
                    continue
                is_true = line["truth"].strip().lower() in ("1", "true", "yes")
                truths[line["file"]][line["check"], line["file"], int(line["row"])] = is_true
    return truths


def verified_scores(folder: Path) -> dict[str, Score]:
    """By check, over the verified rows of the data sets that are here."""
    scores: dict[str, Score] = defaultdict(Score)
    for name, truths in verified_rows().items():
        source = next((place / name for place in (SAMPLE, SHARED) if (place / name).is_file()), None)
        if source is None:
            print(f"{name} is not here: its {len(truths)} verified rows are left out", file=sys.stderr)
            continue
        project = Project.create(folder / f"verified-{name}")
        import_source(project, source)
        asks_for_model = any("embeddings" in all_checks()[check].needs for check, _, _ in truths)
        scan(project, without=() if asks_for_model else ("embeddings",))
        flagged = flagged_rows(project)
        known = {row for rows in rows_by_record(project).values() for _, row in rows}
        for (check, file, row), is_true in truths.items():
            if row not in known:
                print(f"{file} has no row {row}", file=sys.stderr)
                continue
            if is_true:
                scores[check].true.add((file, row))
            if any(place[1] == row for place in flagged[check]):
                scores[check].flagged.add((file, row))
                if not is_true:
                    scores[check].wrong.add((file, row))
    return scores


def speeds(folder: Path, rows: int) -> dict[str, float]:
    """Rows a second on one core. What several checks of the whole set need (pairs of near duplicates) is counted for the first of them."""
    project = Project.create(folder / "mixed")
    write_mixed(folder / "mixed.jsonl", rows)
    import_source(project, folder / "mixed.jsonl")
    scan(project, without=("embeddings",))  # compiles and loads what is compiled and loaded once
    for part in (*project.measurements_folder.rglob("*.parquet"), *project.features_folder.rglob("*.parquet")):
        part.unlink()
    found = scan(project, without=("embeddings",))
    return {name: found["records"] / max(check["seconds"], 1e-3) for name, check in found["checks"].items()}


def table(*scores: dict[str, Score], rows_per_second: dict[str, float]) -> str:
    """The table as Markdown: planted in the sample, planted in real rows, verified."""
    none = Score()
    lines = [
        "| check | severity | sample: precision | recall | planted: precision | recall | verified: precision | recall | rows/s on one core |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, check in all_checks().items():
        of_kind = [one.get(name, none) for one in scores]
        speed = f"{rows_per_second[name]:,.0f}" if name in rows_per_second else "–"
        cells = (f"`{name}`", check.severity, *(cell for one in of_kind for cell in (one.precision, one.recall)), speed)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


_HEAD = """# The checks, measured

Written by `python -m tests.benchmarks.bench_check_quality`; do not edit. Each figure is followed by the number of rows it rests on:
precision by the rows flagged, recall by the rows that should be.

- **Sample**: the defects of `data/sample`; a check that is not the first in line for any of them has no recall.
- **Planted**: up to 50 real rows of a public data set with the defect put in (`tests/benchmarks/planted`), among up to 1,000 others
  that the check did not flag before. The defects were written without looking at the checks; refusals, chatbot phrases, placeholders and
  references to a missing text were widened once after a first run, so theirs is no blind figure.
- **Verified**: rows of public data sets judged by reading (`tests/benchmarks/verified/*.csv`), half of them drawn from what the check flags
  and the readers not told which, so recall is that among the rows looked at. `end_mark_missing` and `other_answer` were mended by what the
  readers found, so theirs is no blind figure. A row that mixes British and American spelling counts as true for `spelling_variety`; the
  reader had counted eight of them by which outweighs.
- **Speed**: mixed rows of real data sets on one core; a dash where a model would be needed.

"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speed-rows", type=int, default=20_000)
    parser.add_argument("--print", action="store_true", help="print the table and write no file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        scores = planted_scores(place), planted_in_real(place), verified_scores(place)
        made = table(*scores, rows_per_second=speeds(place, options.speed_rows))
    if options.print:
        print(made)
        return
    TABLE.write_text(_HEAD + made, encoding="utf-8")
    print(f"Wrote {TABLE.relative_to(Path.cwd()) if TABLE.is_relative_to(Path.cwd()) else TABLE}")


if __name__ == "__main__":
    main()
