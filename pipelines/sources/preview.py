"""Preview: the first rows of a source as they are and as records, before anything is imported."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from pipelines.errors import WorkbenchError
from pipelines.records import ROLES, Record
from pipelines.sources.archive import Opened
from pipelines.sources.convert import Converter
from pipelines.sources.formats import FORMATS
from pipelines.sources.guess import Guess, guess_columns
from pipelines.sources.hub import hub_rows
from pipelines.sources.locate import Source, hub_id, locate
from pipelines.sources.read import FileRows
from pipelines.sources.recognise import SAMPLE_ROWS, check_format, check_mapping, check_roles, left_out_notes, number_notes, recognise
from pipelines.sources.rows import RawRow, Rejection
from pipelines.sources.sample import Sample, take_sample
from pipelines.sources.trees import TreeRows, are_messages


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would make of a source, as far as its first rows show."""

    format: str
    """Empty when no known format fits: then a mapping is needed."""
    mapping: dict[str, str]
    """The column of each field of the format."""
    columns: list[str]
    fields: list[str]
    """All fields of the format."""
    rows: list[dict[str, Any]]
    """The first rows as they are."""
    records: list[Record]
    """What becomes of these rows."""
    rejected: list[Rejection]
    """Rows that cannot be read, and those of `rows` that fit no format."""
    formats: dict[str, str]
    """What speaks for or against each format."""
    notes: list[str] = field(default_factory=list)
    """What else the user should know, such as an encoding."""
    guess: Guess | None = None
    """A likely reading where no known format fits: for a person to confirm."""
    unknown_roles: list[str] = field(default_factory=list)
    """Roles of the first rows that are none of ROLES: the user can say what they are. In the order found."""


def preview(
    source: str | Path,
    *,
    format: str = "auto",
    mapping: Mapping[str, str] | None = None,
    roles: Mapping[str, str] | None = None,
    rows: int = 20,
) -> Preview:
    """The first rows of a source and what they would become. Reads only the head of its first file that holds rows.

    Raises WorkbenchError when there is nothing to read, or for a mapping with a field or column that there is not.
    """
    check_format(format)
    mapping, known_roles = dict(mapping or {}), check_roles(roles or {})
    sample, notes = _sample(source)
    seen = recognise([row.value for row in sample.rows], asked=format, mapping=mapping)
    check_mapping(format, mapping, seen.columns)
    converter = Converter(seen.form, is_asked=format != "auto", mapping=mapping, roles=known_roles)
    shown = sample.rows[:rows]
    converted = [one for row in shown for one in converter.convert(row)]
    rest = [one for row in sample.rows[rows:] for one in converter.convert(row)]
    values = [row.value for row in sample.rows]
    notes += number_notes(seen, values) + left_out_notes(seen, values)
    records = [one[1] for one in converted + rest if not isinstance(one, Rejection)]
    turns = (turn for record in records for turn in (*record.conversation, *record.rejected))
    return Preview(
        format=seen.form.name if seen.form else "",
        mapping=seen.mapping,
        columns=list(seen.columns),
        fields=list(seen.form.fields) if seen.form else list(dict.fromkeys(f for form in FORMATS.values() for f in form.fields)),
        rows=[row.value for row in shown],
        records=[one[1] for one in converted if not isinstance(one, Rejection)],
        rejected=sample.rejected + [one for one in converted if isinstance(one, Rejection)],
        formats=seen.why,
        notes=notes,
        guess=None if seen.form else guess_columns(values),
        unknown_roles=list(dict.fromkeys(turn.role for turn in turns if turn.role not in ROLES)),
    )


def _sample(source: str | Path) -> tuple[Sample, list[str]]:
    name = hub_id(source)
    if name:
        found = islice(hub_rows(name), SAMPLE_ROWS)
        return Sample([RawRow(split, row, value) for split, row, value in found], []), []
    located = locate(source)
    with tempfile.TemporaryDirectory(prefix="winnow-") as folder:
        return _first_sample(located, Opened(located, Path(folder)))


def _first_sample(located: Source, opened: Opened) -> tuple[Sample, list[str]]:
    empty: list[str] = []
    set_aside: list[Rejection] = []
    for file in opened:
        if isinstance(file, Rejection):
            set_aside.append(file)
            continue
        if file.size == 0:
            empty.append(f"{file.name}: empty, it holds no rows")
            continue
        rows: FileRows | TreeRows = FileRows(file, head_only=True)
        sample = take_sample(rows)
        if are_messages(sample.rows):
            rows = TreeRows(FileRows(file, head_only=True), head_only=True)
            sample = take_sample(rows)
        if sample.rows or sample.rejected:
            return sample, empty + [f"{file.name}: {note}" for note in dict.fromkeys(rows.notes)]
    if set_aside:
        raise WorkbenchError(str(set_aside[0]))
    raise WorkbenchError(f"{located.name} holds no rows. Choose another source.")
