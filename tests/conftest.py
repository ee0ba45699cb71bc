"""Shared fixtures: a real project in a temporary folder, filled with records a reader can judge by eye."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

if "PYTEST_XDIST_WORKER" in os.environ:  # several tests at a time: their threads would only wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import settings

from pipelines.records import Message, Record
from pipelines.store.project import Project

settings.register_profile("winnow", deadline=None)  # first calls import pyarrow and compile
settings.load_profile("winnow")

SHARED_DATASETS = Path(__file__).resolve().parents[2] / "shared" / "datasets"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest go first, so that workers that take files one by one end together."""
    weight = {"browser": 1, "slow": 2}
    longest: dict[Path, int] = {}
    for item in items:
        found = sum(weight.get(mark.name, 0) for mark in item.iter_markers())
        longest[item.path] = max(longest.get(item.path, 0), found)
    items.sort(key=lambda item: -longest[item.path])


def chat(*turns: str, system: str | None = None, **meta: object) -> Record:
    """A conversation of alternating user and assistant turns."""
    roles = ["user", "assistant"]
    messages = [Message(roles[i % 2], turn) for i, turn in enumerate(turns)]
    return Record(tuple(([Message("system", system)] if system else []) + messages), meta=meta)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "project")


def put_records(project: Project, records: Sequence[Record], part: str = "0001-test-00000") -> list[str]:
    """Puts records into a project as an import would; returns their ids."""
    import pyarrow as pa

    from pipelines.store.tables import SOURCE_ROW_SCHEMA, records_to_table, write_parquet

    first = sum(pa.parquet.read_metadata(p).num_rows for p in project.record_parts) if project.record_parts else 0
    table = records_to_table(records, first)
    write_parquet(table, project.records_folder / f"{part}.parquet")
    ids = table.column("id").to_pylist()
    rows = {
        "record": ids,
        "source": ["test"] * len(ids),
        "file": ["test.jsonl"] * len(ids),
        "row": range(1, len(ids) + 1),
        "meta": [None] * len(ids),
    }
    write_parquet(pa.table(rows, schema=SOURCE_ROW_SCHEMA), project.source_rows_folder / f"{part}.parquet")
    return ids


@pytest.fixture
def fill() -> Callable[..., list[str]]:
    """`put_records`, as a fixture."""
    return put_records
