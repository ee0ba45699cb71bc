"""Columnar rows: Parquet files and data sets saved by the `datasets` library, read batch by batch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pipelines.errors import WorkbenchError
from pipelines.sources.packed import open_bytes
from pipelines.sources.rows import RawRow, Rejection, json_value, value_problem

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_ONCE = 512


class ColumnarRows:
    """The rows of one Parquet file or one saved split. `fraction` says how far reading has come."""

    def __init__(self, file: str, path: Path, arrow_files: list[Path] | None) -> None:
        self.file = file
        self.path = path
        self.arrow_files = arrow_files
        self.fraction = 0.0

    def __iter__(self) -> Iterator[RawRow | Rejection]:
        import pyarrow as pa

        row = 0
        try:
            for batch, class_names in self._arrow_batches() if self.arrow_files is not None else self._parquet_batches():
                for value in batch.to_pylist():
                    row += 1
                    yield self._row(row, value, class_names)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            reason = f"damaged: {str(error).split(chr(10), 1)[0].rstrip('.')}. Write it again"
            if row == 0:
                raise WorkbenchError(f"{self.file} is {reason}.") from error
            yield Rejection(self.file, row + 1, f"From here on the file is {reason}; the rows before were read.")

    def _row(self, row: int, value: dict[str, Any], class_names: dict[str, list[str]]) -> RawRow | Rejection:
        plain = {str(column): json_value(cell) for column, cell in value.items()}
        for column, names in class_names.items():
            label = plain.get(column)
            if isinstance(label, int) and 0 <= label < len(names):
                plain[column] = names[label]
        problem = value_problem(plain)
        if problem:
            return Rejection(self.file, row, problem, json.dumps(plain))
        return RawRow(self.file, row, plain)

    def _parquet_batches(self) -> Iterator[tuple[pa.RecordBatch, dict[str, list[str]]]]:
        import pyarrow.parquet as pq

        with open_bytes(self.path) as stream:
            parquet = pq.ParquetFile(stream, pre_buffer=False)
            class_names, done, total = _class_names(parquet.schema_arrow), 0, parquet.metadata.num_rows
            for batch in parquet.iter_batches(batch_size=_ROWS_AT_ONCE):
                done += batch.num_rows
                yield batch, class_names
                self.fraction = done / max(total, 1)

    def _arrow_batches(self) -> Iterator[tuple[pa.RecordBatch, dict[str, list[str]]]]:
        paths = self.arrow_files or []
        total = sum(path.stat().st_size for path in paths)
        done = 0
        for path in paths:
            with path.open("rb") as stream:
                for batch, class_names in _stream_batches(stream):
                    yield batch, class_names
                    self.fraction = (done + stream.tell()) / max(total, 1)
            done += path.stat().st_size


def _stream_batches(stream: BinaryIO) -> Iterable[tuple[pa.RecordBatch, dict[str, list[str]]]]:
    import pyarrow as pa

    with pa.ipc.open_stream(stream) as batches:
        class_names = _class_names(batches.schema)
        for batch in batches:
            for start in range(0, batch.num_rows, _ROWS_AT_ONCE):
                yield batch.slice(start, _ROWS_AT_ONCE), class_names


def _class_names(schema: pa.Schema) -> dict[str, list[str]]:
    """The names behind the numbers of a label column, which `datasets` keeps beside the schema."""
    described = (schema.metadata or {}).get(b"huggingface")
    if described is None:
        return {}
    features = json.loads(described).get("info", {}).get("features") or {}
    return {column: f["names"] for column, f in features.items() if isinstance(f, dict) and f.get("_type") == "ClassLabel"}
