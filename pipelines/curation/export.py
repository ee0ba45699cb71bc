"""Export: a snapshot in the form another tool reads. What a format cannot express is counted and listed, never lost."""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, Any, Literal, get_args

import pyarrow.parquet as pq

from pipelines.curation.card import dataset_card
from pipelines.curation.export_formats import OWN_COLUMNS, ROW_FORMATS, Inexpressible, column_name
from pipelines.curation.snapshot import load_snapshot, split_file, verify_snapshot
from pipelines.curation.splits import SPLITS
from pipelines.errors import WorkbenchError
from pipelines.store.project import Project
from pipelines.store.tables import beside, row_to_record, write_text

ExportFormat = Literal["openai", "sharegpt", "alpaca", "csv", "parquet", "datasets"]
_JSON = (".jsonl", ".json")
_SUFFIXES = {"openai": _JSON, "sharegpt": _JSON, "alpaca": _JSON, "csv": (".csv",), "parquet": (".parquet",), "datasets": ()}
_REFUSED = "not_exported.jsonl"
_BESIDE = ("README.md", "manifest.json", "dataset_dict.json", _REFUSED)
"""What stands in a folder beside the splits."""
_BATCH = 2_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export_snapshot(
    project: Project,
    id: str,
    format: ExportFormat,
    path: Path | str,
    *,
    split: str = "train",
    license: str | None = None,
    emit: Callable[..., None] = lambda **_: None,
) -> dict[str, Any]:
    """Writes a snapshot to a folder, one file per split, or to one file when `path` ends like one (.jsonl, .json, .csv, .parquet).

    One file holds the split that `split` names. A folder holds all of them, with the card and the manifest; a split without rows has no
    file. The files of an earlier export are replaced, all of them, so that no row of another snapshot is left beside. Raises
    WorkbenchError when the snapshot was changed since it was frozen, when path and format do not go together, and when a file that no
    export wrote would be replaced in the folder.

    Returns {"snapshot", "format", "files" and "rows_by_split" (by split), "rows" (all that were written), "left_out" (rows that the
    format cannot express), "reasons" ({reason: rows}), "listed_in" (the JSONL file with id, split and reason of each, or None),
    "escaped_cells" (CSV: cells that a spreadsheet would have run as a formula and that got a leading apostrophe)}.
    rows + left_out = rows of the splits.
    """
    path = Path(path).expanduser()
    is_file = _is_file(format, path)
    if split not in SPLITS:
        raise WorkbenchError(f'There is no split "{split}". The splits are: {", ".join(SPLITS)}.')
    manifest = load_snapshot(project, id)
    if problems := verify_snapshot(project, manifest["id"]):
        raise WorkbenchError(problems[0])
    splits = [name for name in ([split] if is_file else SPLITS) if manifest[name]]
    if not splits:
        raise WorkbenchError(f"The {split} split of snapshot {manifest['id']} is empty. Choose another one with --split.")
    sources = {name: split_file(project, manifest["id"], name) for name in splits}
    _make_folder(path.parent if is_file else path)
    if not is_file:
        _require_own(path)
    if format == "datasets":
        report = _save_to_disk(manifest, sources, path)
    elif format == "parquet":
        report = _copy_parquet(manifest, sources, path, is_file)
    else:
        report = _write_rows(manifest, sources, format, path, is_file, emit)
    if not is_file:
        names = {name: Path(file).name for name, file in report["files"].items() if report["rows_by_split"][name]}
        index = ["dataset_dict.json"] if format == "datasets" else []
        _remove_stale(path, {Path(file).name for file in (*report["files"].values(), report["listed_in"] or "", *index)})
        if format != "datasets":
            write_text(dataset_card(manifest, files=names, license=license, format=format), path / "README.md")
        write_text(json.dumps(manifest, ensure_ascii=False, indent=1), path / "manifest.json")
    return report


def _is_file(format: str, path: Path) -> bool:
    if format not in get_args(ExportFormat):
        raise WorkbenchError(f'There is no export format "{format}". The formats are: {", ".join(get_args(ExportFormat))}.')
    suffix = path.suffix.lower()
    if suffix in _SUFFIXES[format] and not path.is_dir():
        return True
    if suffix in {s for suffixes in _SUFFIXES.values() for s in suffixes} and not path.is_dir():
        ends = " or ".join(_SUFFIXES[format])
        raise WorkbenchError(
            f"{path.name} does not go with the format {format}. Name a folder{', or a file ending in ' + ends if ends else ''}."
        )
    return False


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkbenchError(f"Cannot write to {folder}: {error.strerror}. Name another place.") from error


def _ours(folder: Path) -> list[Path]:
    """What an export writes to a folder, of those things that are there."""
    suffixes = ("", *(suffix for each in _SUFFIXES.values() for suffix in each))
    names = [*(f"{split}{suffix}" for split in SPLITS for suffix in suffixes), *_BESIDE]
    return [path for name in dict.fromkeys(names) if (path := folder / name).exists()]


def _require_own(folder: Path) -> None:
    """Raises WorkbenchError when the folder holds a file that an export would replace and that is not of an export."""
    found = _ours(folder)
    try:
        is_export = "groups_crossing" in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        is_export = False
    if found and not is_export:
        names = ", ".join(path.name for path in found)
        raise WorkbenchError(f"{folder} holds {names}, which no export of a snapshot wrote. Name another folder, so that nothing is lost.")


def _remove_stale(folder: Path, written: set[str]) -> None:
    """Removes what an earlier export left: a split that this one does not have, or one in another format."""
    for path in _ours(folder):
        if path.name in written:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _copy_parquet(manifest: dict[str, Any], sources: dict[str, Path], path: Path, is_file: bool) -> dict[str, Any]:
    files = {name: path if is_file else path / f"{name}.parquet" for name in sources}
    for name, source in sources.items():
        with source.open("rb") as read, beside(files[name], "wb") as file:
            shutil.copyfileobj(read, file)
    return _report(manifest, "parquet", files, {name: manifest[name] for name in sources})


def _report(manifest: dict[str, Any], format: str, files: dict[str, Path], rows: dict[str, int], **more: Any) -> dict[str, Any]:
    none = {"left_out": 0, "reasons": {}, "listed_in": None, "escaped_cells": 0}
    paths = {name: str(file) for name, file in files.items()}
    return {"snapshot": manifest["id"], "format": format, "files": paths, "rows": sum(rows.values()), "rows_by_split": rows} | none | more


def _save_to_disk(manifest: dict[str, Any], sources: dict[str, Path], path: Path) -> dict[str, Any]:
    from datasets import Dataset, DatasetDict

    with tempfile.TemporaryDirectory(dir=path, prefix=".") as cache:  # else a second copy of the data stays in the user's cache
        loaded = DatasetDict({name: Dataset.from_parquet(str(source), cache_dir=cache) for name, source in sources.items()})
        loaded.save_to_disk(str(path))
    return _report(manifest, "datasets", {name: path / name for name in sources}, {name: split.num_rows for name, split in loaded.items()})


def _write_rows(
    manifest: dict[str, Any], sources: dict[str, Path], format: str, path: Path, is_file: bool, emit: Callable[..., None]
) -> dict[str, Any]:
    suffix = path.suffix.lower() if is_file else _SUFFIXES[format][0]
    files = {name: path if is_file else path / f"{name}{suffix}" for name in sources}
    refused_path = path.with_name(f"{path.stem}.not_exported.jsonl") if is_file else path / _REFUSED
    total = sum(manifest[name] for name in sources)
    rows: dict[str, int] = {}
    reasons: Counter[str] = Counter()
    escaped = seen = 0
    columns = [*csv_columns(sources.values())] if suffix == ".csv" else []
    with beside(refused_path) as refused:
        for name, source in sources.items():
            with beside(files[name]) as file:
                writer = _Writer(file, suffix, columns)
                for batch in pq.ParquetFile(source).iter_batches(_BATCH):
                    for row in batch.to_pylist():
                        try:
                            writer.write(ROW_FORMATS[format](row_to_record(row)))
                        except Inexpressible as why:
                            reasons[str(why)] += 1
                            refused.write(json.dumps({"id": row["id"], "split": name, "reason": str(why)}, ensure_ascii=False) + "\n")
                    seen += batch.num_rows
                    emit(fraction=seen / total, message=f"Wrote {seen:,} of {total:,} rows")
                writer.close()
            rows[name] = writer.rows
            escaped += writer.escaped_cells
    if not reasons:
        refused_path.unlink()
    left_out = sum(reasons.values())
    return _report(
        manifest, format, files, rows, left_out=left_out, reasons=dict(reasons.most_common()),
        listed_in=str(refused_path) if left_out else None, escaped_cells=escaped,
    )  # fmt: skip


def csv_columns(sources: Iterable[Path]) -> dict[str, None]:
    """The columns of the splits as a table: question and answer, then every column of the source that a row of them has."""
    columns = dict.fromkeys(OWN_COLUMNS)
    for source in sources:
        for batch in pq.ParquetFile(source).iter_batches(_BATCH, columns=["meta"]):
            for text in batch.column("meta").unique().to_pylist():
                columns |= dict.fromkeys(map(column_name, json.loads(text or "{}")))
    return columns


class _Writer:
    """Rows as JSON lines, as one JSON array, or as CSV."""

    def __init__(self, file: IO[str], suffix: str, columns: Sequence[str]) -> None:
        self.columns = columns
        self.file = file
        self.suffix = suffix
        self.rows = 0
        self.escaped_cells = 0
        self._csv = csv.writer(file) if suffix == ".csv" else None
        if suffix == ".json":
            file.write("[")

    def write(self, row: dict[str, Any]) -> None:
        """Adds a row."""
        if self._csv is not None:
            if not self.rows:
                self._csv.writerow(self._cell(name) for name in self.columns)
            self._csv.writerow(self._cell(row.get(name)) for name in self.columns)
        else:
            text = json.dumps(row, ensure_ascii=False)
            self.file.write(f"{',' if self.rows else ''}\n{text}" if self.suffix == ".json" else text + "\n")
        self.rows += 1

    def _cell(self, text: Any) -> Any:
        # A spreadsheet runs such a cell as a formula; the apostrophe makes it text.
        if not isinstance(text, str) or not text.startswith(_FORMULA):
            return text
        self.escaped_cells += 1
        return f"'{text}"

    def close(self) -> None:
        """Ends the file."""
        if self.suffix == ".json":
            self.file.write("\n]\n")
