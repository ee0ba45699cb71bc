"""Whether two states of the code find the same: every measurement, with value and evidence, must be byte for byte what it was.

Run before a change:  python -m tests.benchmarks.same_findings --write FOLDER
and after it:         python -m tests.benchmarks.same_findings --against FOLDER [--checks a,b]
Scans the sample, ../shared/datasets (where that folder is there) and 20,000 mixed rows with every check that needs no model. Checks of
another version are not compared. Exit status 1 when something differs; the first rows that do are printed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.checks import all_checks
from pipelines.scan import scan
from pipelines.sources.ingest import import_source
from pipelines.store.project import Project
from tests.benchmarks.mixed_rows import SHARED, write_mixed

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample" / "tickets.jsonl"
MIXED_ROWS = 20_000
SHOWN = 3


def scanned(folder: Path, checks: list[str]) -> Project:
    """A new project of all the rows, measured."""
    project = Project.create(folder / "project")
    write_mixed(folder / "mixed.jsonl", MIXED_ROWS)
    for source in (SAMPLE, *([SHARED] if SHARED.is_dir() else []), folder / "mixed.jsonl"):
        import_source(project, source)
    scan(project, checks=checks)
    return project


def measurements(project: Project, key: str) -> pa.Table:
    """All that one check said, ordered by id."""
    files = sorted((project.measurements_folder / key).glob("*.parquet"))
    return pa.concat_tables(map(pq.read_table, files)).sort_by("id")


def differences(old: pa.Table, new: pa.Table) -> list[tuple[object, object]]:
    """The rows that are not the same."""
    if old.equals(new):
        return []
    return [(one, other) for one, other in zip(old.to_pylist(), new.to_pylist(), strict=True) if one != other]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    side = parser.add_mutually_exclusive_group(required=True)
    side.add_argument("--write", type=Path, metavar="FOLDER")
    side.add_argument("--against", type=Path, metavar="FOLDER")
    parser.add_argument("--checks", type=lambda names: names.split(","), default=[n for n in all_checks() if n != "off_topic"])
    options = parser.parse_args()
    if options.write:
        options.write.mkdir(parents=True)
        scanned(options.write, options.checks)
        return 0
    before = Project.open(options.against / "project")
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        after = scanned(Path(folder), options.checks)
        for key in (all_checks()[name].key for name in options.checks):
            if not (before.measurements_folder / key).is_dir():
                print(f"{key:<28} not measured before")
                continue
            new = measurements(after, key)
            differing = differences(measurements(before, key), new)
            print(f"{key:<28} {new.num_rows:,} rows, {len(differing):,} differ")
            for one, other in differing[:SHOWN]:
                print(f"    was {one}\n    is  {other}")
            status |= bool(differing)
    return status


if __name__ == "__main__":
    sys.exit(main())
