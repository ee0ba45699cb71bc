"""Tables: the Arrow schemas of a project's Parquet files, and the way from records to rows and back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import IO, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.records import Message, Record, canonical_json

MESSAGE = pa.struct(
    [
        ("role", pa.string()),
        ("content", pa.string()),
        ("name", pa.string()),
        ("tool_calls", pa.string()),
        ("tool_call_id", pa.string()),
        ("reasoning_content", pa.string()),  # from here on not in files of the first release
        ("weight", pa.int8()),
    ]
)
RECORD_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("position", pa.int64()),  # running number over the project, in import order, from 0
        ("kind", pa.string()),
        ("system", pa.large_string()),  # derived: see Record.system, .prompt and .answer
        ("prompt", pa.large_string()),
        ("answer", pa.large_string()),
        ("messages", pa.list_(MESSAGE)),
        ("tools", pa.large_string()),
        ("chosen", pa.list_(MESSAGE)),
        ("rejected", pa.list_(MESSAGE)),
        ("label", pa.bool_()),
        ("meta", pa.large_string()),  # JSON object of the first source row's other columns
    ]
)
SOURCE_ROW_SCHEMA = pa.schema(
    [("record", pa.string()), ("source", pa.string()), ("file", pa.string()), ("row", pa.int64()), ("meta", pa.large_string())]
)
"""Where each record was found: the source's sha256, the file's name in it, and the row counted from 1. A merged duplicate has several.
`meta` holds the other columns of a row that was merged with an earlier one, null where they are those of the record."""
MEASUREMENT_SCHEMA = pa.schema([("id", pa.string()), ("value", pa.float64()), ("evidence", pa.large_string())])


def records_to_table(records: Iterable[Record], first_position: int = 0, ids: list[str] | None = None) -> pa.Table:
    """Rows of RECORD_SCHEMA, one per record, in order. `ids` replaces the records' own ids when they were already computed."""
    rows = list(records)
    return pa.table(
        {
            "id": ids if ids is not None else [r.id for r in rows],
            "position": range(first_position, first_position + len(rows)),
            "kind": [r.kind for r in rows],
            "system": [r.system for r in rows],
            "prompt": [r.prompt for r in rows],
            "answer": [r.answer for r in rows],
            "messages": _turn_lists([r.messages for r in rows]),
            "tools": [r.tools for r in rows],
            "chosen": _turn_lists([r.chosen for r in rows]),
            "rejected": _turn_lists([r.rejected for r in rows]),
            "label": [r.label for r in rows],
            "meta": [meta_text(r) for r in rows],
        },
        schema=RECORD_SCHEMA,
    )


def meta_text(record: Record) -> str:
    """The other columns of a record's row, as they are stored."""
    return canonical_json(dict(record.meta)) if record.meta else "{}"


def row_to_record(row: dict[str, Any]) -> Record:
    """The record of one row of RECORD_SCHEMA (as `Table.to_pylist` gives it)."""
    return Record(
        messages=_row_turns(row["messages"]),
        kind=row["kind"],
        tools=row["tools"],
        chosen=_row_turns(row["chosen"]),
        rejected=_row_turns(row["rejected"]),
        label=row["label"],
        meta=json.loads(row["meta"] or "{}"),
    )


def _turn_lists(conversations: list[tuple[Message, ...]]) -> pa.ListArray:
    """A list of MESSAGE per conversation, built column by column: several times faster than from one dict a turn."""
    turns = [m for conversation in conversations for m in conversation]
    columns = [pa.array([getattr(m, field.name) for m in turns], field.type) for field in MESSAGE]
    ends = list(accumulate(map(len, conversations)))
    return pa.ListArray.from_arrays(pa.array([0, *ends], pa.int32()), pa.StructArray.from_arrays(columns, fields=list(MESSAGE)))


def _row_turns(turns: list[dict[str, Any]] | None) -> tuple[Message, ...]:
    return tuple(Message(**turn) for turn in turns or ())


def flatten_turns(table: pa.Table) -> pa.Table:
    """One row per turn of each conversation (messages, then the chosen answer): record index, turn, role, content, tool_calls."""
    parts = []
    for column, first in (("messages", 0), ("chosen", 1)):
        lists = table.column(column).combine_chunks()
        if isinstance(lists, pa.ChunkedArray):
            lists = lists.chunk(0) if lists.num_chunks else pa.array([], type=lists.type)
        flat = pc.list_flatten(lists)
        parts.append(
            pa.table(
                {
                    "record": pc.cast(pc.list_parent_indices(lists), pa.int64()),
                    "part": pa.array([first] * len(flat), pa.int8()),
                    "role": pc.struct_field(flat, "role"),
                    "content": pc.struct_field(flat, "content"),
                    "tool_calls": pc.struct_field(flat, "tool_calls"),
                }
            )
        )
    turns = pa.concat_tables(parts)
    if parts[1].num_rows:  # a stable sort keeps the order of the turns within a part
        turns = turns.take(pc.sort_indices(turns, [("record", "ascending"), ("part", "ascending")]))
    return turns.drop_columns("part").add_column(1, "turn", _running_number(turns.column("record")))


def _running_number(record: pa.ChunkedArray) -> pa.Array:
    import numpy as np

    of = record.to_numpy()
    if len(of) == 0:
        return pa.array([], pa.int64())
    starts = np.flatnonzero(np.r_[True, of[1:] != of[:-1]])
    lengths = np.diff(np.r_[starts, len(of)])
    return pa.array(np.arange(len(of)) - np.repeat(starts, lengths))


def write_parquet(table: pa.Table, path: Path) -> None:
    """Writes beside, syncs and renames: a reader sees the whole file or none.

    Ids are written without a dictionary: all are different, and to find that out takes half the time and more room.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with beside(path, "wb") as file:
        repeating = [name for name in table.column_names if name not in ("id", "left", "right")]
        pq.write_table(table, file, compression="zstd", use_dictionary=repeating)


def write_text(text: str, path: Path) -> None:
    """Writes beside, syncs and renames, as UTF-8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with beside(path) as file:
        file.write(text)


@contextmanager
def beside(path: Path, mode: Literal["w", "wb"] = "w") -> Iterator[IO[Any]]:
    """A file (of UTF-8 text, or of bytes) that takes its place at `path` once it is whole and synced. Of a failure nothing is left."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    text: dict[str, Any] = {} if mode == "wb" else {"encoding": "utf-8", "newline": ""}
    try:
        with part.open(mode, **text) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
