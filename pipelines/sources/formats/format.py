"""Format: how the columns of a row become a record."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.records import Record
from pipelines.sources.rows import kind_of

Row = Mapping[str, Any]
Columns = Mapping[str, str]
"""The column that holds each field of a format."""


class Unfit(Exception):
    """Says in one sentence why a row is not of a format."""


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write training examples that is in use."""

    name: str
    fields: Mapping[str, tuple[str, ...]]
    """What the format is made of, with the column names known for each field, best first. Columns outside go to Record.meta."""
    needs: tuple[tuple[str, ...], ...]
    """Sets of fields; a row must have all the fields of one of them."""
    convert: Callable[[Row, Columns], Record]
    """The record of a row without its meta. Raises Unfit."""
    fits: Callable[[Row, Columns], bool] = lambda row, columns: True
    """Whether a row that has the columns is clearly of this format: asked only while nothing says that the file is."""
    expand: Callable[[Row, Columns], list[dict[str, Any]]] | None = None
    """The rows inside a row, for a format that nests them. Raises Unfit."""
    inner: Format | None = None
    """What the rows inside a row are."""

    def columns(self, names: Sequence[str], mapping: Columns) -> dict[str, str] | None:
        """The column of each field among the columns of a row, those of the mapping first; None when a needed field has none."""
        found = self.known_columns(names, mapping)
        return found if any(all(field in found for field in fields) for fields in self.needs) else None

    def known_columns(self, names: Sequence[str], mapping: Columns) -> dict[str, str]:
        """The column of each field that has one."""
        by_plain_name = {plain_name(name): name for name in reversed(names)}
        found = {field: column for field, column in mapping.items() if field in self.fields and column in names}
        taken = set(found.values())
        for field, known in self.fields.items():
            if field in mapping:
                continue
            for name in known:
                column = by_plain_name.get(name)
                if column is not None and column not in taken:
                    found[field] = column
                    taken.add(column)
                    break
        return found

    def claims(self, row: Row, columns: Columns, *, strictly: bool = False) -> bool:
        """Whether the row is clearly meant to be of this format: a row that is claimed and does not convert is broken.

        Some needed column must hold something; strictly, each of them.
        """
        held = [row[columns[field]] is not None for field in self._needed(columns)]
        return all(held) if strictly else any(held) and self.fits(row, columns)

    def attempt(self, row: Row, columns: Columns) -> Record | list[dict[str, Any]]:
        """The record of a row, or the rows inside it. Raises Unfit."""
        return self.expand(row, columns) if self.expand else self.convert(row, columns)

    def _needed(self, columns: Columns) -> tuple[str, ...]:
        return next(fields for fields in self.needs if all(field in columns for field in fields))

    def missing(self, names: Sequence[str], mapping: Columns) -> str:
        """The sentence for a row that lacks a needed field."""
        found = self.known_columns(names, mapping)
        lacking = min(([field for field in fields if field not in found] for fields in self.needs), key=len)
        fields = " and no ".join(mapping.get(field, field) for field in lacking)
        return f"It has no {fields}, which the format {self.name} needs. Its columns are: {', '.join(names) or 'none'}."


def plain_name(column: str) -> str:
    """A column's name without what differs by taste: letter case, spaces, hyphens."""
    return column.strip().lower().replace(" ", "_").replace("-", "_")


def text_of(row: Row, column: str) -> str:
    """The text in a column. A number or truth value as JSON writes it; an empty text for null. Raises Unfit for lists and objects."""
    value = row[column]
    if type(value) is str:
        return value
    if value is None:
        return ""
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    raise Unfit(f'The column "{column}" holds {kind_of(value)}, not a text.')


def optional_text(row: Row, columns: Columns, field: str) -> str:
    """The text of a field that the row need not have."""
    column = columns.get(field)
    return "" if column is None else text_of(row, column)


def need_one(row: Row, columns: Columns, *fields: str) -> None:
    """Raises Unfit when all the columns of the fields are null: then there is nothing to train on."""
    names = [columns[field] for field in fields if field in columns]
    if all(row[name] is None for name in names):
        raise Unfit("Its " + " and ".join(f'"{name}"' for name in names) + f" {'are both' if len(names) > 1 else 'is'} null.")
