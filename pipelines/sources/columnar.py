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
                for value in _values(batch):
                    row += 1
                    yield value.at(self.file, row) if isinstance(value, _Undecodable) else self._row(row, value, class_names)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
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
            parquet = pq.ParquetFile(stream, pre_buffer=False, page_checksum_verification=True)
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


class _Undecodable:
    """A row in which a text is not one: its bytes are no UTF-8."""

    def __init__(self, row: pa.RecordBatch) -> None:
        self.row = row

    def at(self, file: str, number: int) -> Rejection:
        """The rejection, with what can be read of the row."""
        import pyarrow as pa

        cells = {}
        for name, column in zip(self.row.schema.names, self.row.columns, strict=True):
            try:
                cells[name] = json_value(column.to_pylist()[0])
            except UnicodeDecodeError:
                found = column.cast(pa.binary()).to_pylist()[0] if pa.types.is_string(column.type) else b"(not readable)"
                cells[name] = found.decode("utf-8", "backslashreplace")
        return Rejection(
            file, number, "A text of it holds bytes that are not UTF-8. Write the file again with whole texts.", json.dumps(cells)
        )


def _values(batch: pa.RecordBatch) -> Iterator[dict[str, Any] | _Undecodable]:
    """The rows of a batch. Arrow does not look whether a text is one: that shows when it is read."""
    try:
        yield from batch.to_pylist()
        return
    except UnicodeDecodeError:
        pass
    for i in range(batch.num_rows):
        row = batch.slice(i, 1)
        try:
            yield row.to_pylist()[0]
        except UnicodeDecodeError:
            yield _Undecodable(row)


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
    try:
        features = json.loads(described)["info"]["features"]
        return {column: list(f["names"]) for column, f in features.items() if isinstance(f, dict) and f.get("_type") == "ClassLabel"}
    except (ValueError, KeyError, TypeError, AttributeError):  # written by something else, or damaged: the numbers stay numbers
        return {}
