"""Conversion: rows of one file become records, each by the format it fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipelines.records import ROLES, Message, Record
from pipelines.sources.formats import FORMATS
from pipelines.sources.formats.format import Columns, Format, Unfit
from pipelines.sources.formats.tool_dialects import with_tools_apart
from pipelines.sources.rows import RawRow, Rejection, reject

_SHAPES_REMEMBERED = 10_000
Converted = tuple[str, Record]
"""The name of the format and the record."""


@dataclass(slots=True)
class Converter:
    """Converts the rows of one file. Remembers what columns it has seen, so that a usual row costs one look-up."""

    form: Format | None
    """The format of the file; None while it is not known, or when none fits."""
    is_asked: bool = False
    """Whether the user named the format: then it is tried first, else the most telling one that fits."""
    mapping: Columns = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    """What the user says a role of the source is: its name in small letters, and one of ROLES."""
    _by_shape: dict[tuple[str, ...], list[tuple[Format, dict[str, str]]]] = field(default_factory=dict)

    def convert(self, row: RawRow) -> list[Converted | Rejection]:
        """The records of a row, one unless it nests several; or the one reason why there is none."""
        value = row.value
        shape = tuple(value)
        candidates = self._by_shape.get(shape)
        if candidates is None:
            candidates = self._candidates(shape)
        reason = None
        for form, columns in candidates:
            is_own = form is self.form
            if not is_own and not form.claims(value, columns):
                continue
            try:
                found = form.attempt(value, columns)
            except Unfit as error:
                if not is_own or form.claims(value, columns, strictly=True):
                    return [reject(row, str(error))]
                reason = str(error)
                continue
            if isinstance(found, Record):
                return [(form.name, self._finished(found, value, columns))]
            return self._instances(row, form, found)
        return [reject(row, reason or self._reason(row, candidates))]

    def _instances(self, row: RawRow, form: Format, values: list[dict[str, Any]]) -> list[Converted | Rejection]:
        inner = form.inner or form
        found: list[Converted | Rejection] = []
        for number, value in enumerate(values, 1):
            of = f"Instance {number} of {len(values)}: " if len(values) > 1 else ""
            instance = RawRow(row.file, row.row, value)
            columns = inner.columns(tuple(value), {})
            if columns is None:
                found.append(reject(instance, of + inner.missing(tuple(value), {})))
                continue
            try:
                record = inner.convert(value, columns)
            except Unfit as error:
                found.append(reject(instance, f"{of}{error}"))
            else:
                found.append((form.name, self._finished(record, value, columns)))
        return found

    def _finished(self, record: Record, value: Mapping[str, Any], columns: Columns) -> Record:
        """The record with tools in their own places, roles as the user maps them, and what else the row says."""
        return _with_meta(with_tools_apart(_with_roles(record, self.roles) if self.roles else record), value, columns)

    def _candidates(self, shape: tuple[str, ...]) -> list[tuple[Format, dict[str, str]]]:
        forms = list(FORMATS.values())
        if self.form and (self.is_asked or self.mapping):
            forms.remove(self.form)
            forms.insert(0, self.form)
        found = []
        for form in forms:
            columns = form.columns(shape, self.mapping if form is self.form else {})
            if columns is not None:
                found.append((form, columns))
        if len(self._by_shape) >= _SHAPES_REMEMBERED:
            self._by_shape.clear()
        self._by_shape[shape] = found
        return found

    def _reason(self, row: RawRow, candidates: list[tuple[Format, dict[str, str]]]) -> str:
        """Why no format takes the row: as the format nearest to it says."""
        names = tuple(row.value)
        if not names:
            return "It is an object without any column."
        if self.form and not any(form is self.form for form, _ in candidates):
            return self.form.missing(names, self.mapping)
        for form, columns in candidates:
            try:
                form.attempt(row.value, columns)
            except Unfit as error:
                return str(error)
        listed = ", ".join(names)
        return f"No known format has its columns: {listed}. Say in the mapping which column holds what, e.g. question and answer."


def _with_roles(record: Record, roles: Mapping[str, str]) -> Record:
    """The record with the roles that are none of ROLES named as the user maps them."""
    sides = [tuple(_with_role(turn, roles) for turn in side) for side in (record.messages, record.chosen, record.rejected)]
    return replace(record, messages=sides[0], chosen=sides[1], rejected=sides[2])


def _with_role(turn: Message, roles: Mapping[str, str]) -> Message:
    role = None if turn.role in ROLES else roles.get(turn.role.strip().lower())
    return turn if role is None else replace(turn, role=role)


def _with_meta(record: Record, value: Mapping[str, Any], columns: Columns) -> Record:
    """The record with the columns that it was not made from."""
    if len(columns) == len(value):
        return record
    used = set(columns.values())
    meta = {name: cell for name, cell in value.items() if name not in used}
    if not meta:
        return record
    for name, extra in record.meta.items():
        meta[name if name not in meta else f"{name} (2)"] = extra
    return replace(record, meta=meta)
