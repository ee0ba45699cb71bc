"""Recognition: which format a file is in, judged by a few hundred rows and never by the first alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.errors import WorkbenchError
from pipelines.records import ROLES
from pipelines.sources.formats import FORMATS
from pipelines.sources.formats.format import Columns, Format, Unfit

SAMPLE_ROWS = 500
"""How many readable rows of a file are looked at."""


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a file was found to be."""

    form: Format | None
    """None when no row fits any format."""
    mapping: dict[str, str]
    """The column of each field of the format, as in most of its rows."""
    columns: tuple[str, ...]
    """All columns of the rows looked at, in the order found."""
    why: dict[str, str]
    """For each format, what speaks for it or against it."""


def recognise(rows: Sequence[Mapping[str, Any]], *, asked: str = "auto", mapping: Columns | None = None) -> Recognition:
    """The format that most rows fit best; or the one asked for, however few fit it. Mapped columns narrow the choice."""
    mapping = mapping or {}
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    forms = [FORMATS[asked]] if asked != "auto" else [form for form in FORMATS.values() if all(field in form.fields for field in mapping)]
    is_label_sure = asked != "auto" or "label" in mapping  # then a label of 0 and 1 is what the user says it is
    won, fitting, found = Counter[str](), Counter[str](), dict[str, Counter[tuple[tuple[str, str], ...]]]()
    for row in rows:
        is_won = False
        for form in forms:
            used = form.columns(tuple(row), mapping)
            if used is None or not (form.claims(row, used) or (is_label_sure and form.claims(row, used, strictly=True))):
                continue
            try:
                form.attempt(row, used)
            except Unfit:
                is_won = True  # a broken row of this format is none of a looser one
                continue
            fitting[form.name] += 1
            found.setdefault(form.name, Counter())[tuple(used.items())] += 1
            won[form.name] += not is_won
            is_won = True
    order = list(FORMATS)
    best = asked if asked != "auto" else max(won, key=lambda name: (won[name], -order.index(name)), default=None)
    why = {form.name: _why(form, fitting[form.name], len(rows), columns, mapping) for form in FORMATS.values()}
    if best is None:
        return Recognition(None, {}, columns, why)
    best_columns = dict(found[best].most_common(1)[0][0]) if best in found else FORMATS[best].known_columns(columns, mapping)
    return Recognition(FORMATS[best], best_columns, columns, why)


def _why(form: Format, fitting: int, rows: int, columns: tuple[str, ...], mapping: Columns) -> str:
    if fitting:
        known = form.known_columns(columns, mapping)
        listed = ", ".join(f"{field} in {column}" if field != column else field for field, column in known.items())
        return f"{fitting:,} of the first {rows:,} rows fit ({listed})."
    unknown = [field for field in mapping if field not in form.fields]
    if unknown:
        return f"It has no field {unknown[0]}."
    if form.columns(columns, mapping) is None:
        lacking = min(([f for f in fields if f not in form.known_columns(columns, mapping)] for fields in form.needs), key=len)
        return f"No column for {' and '.join(lacking)}."
    return "It has the columns, but no row fits."


def number_notes(seen: Recognition, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence for the user when the labels of a classification are bare numbers, which nobody can learn the meaning of."""
    column = seen.mapping.get("label")
    if seen.form is not FORMATS["classification"] or column is None:
        return []
    labels = {str(row[column]) for row in rows if row.get(column) is not None}
    if not labels or not all(label.isdecimal() for label in labels):
        return []
    return [
        f'The labels in "{column}" are numbers ({len(labels):,} different ones in the first rows), so the model learns to answer with a '
        "number. If they stand for names, choose a column that holds the names, or write the names into the file."
    ]


_LONG_TEXT = 80
"""Characters that half of a column's texts exceed where it holds prose and not names or dates."""


def left_out_notes(seen: Recognition, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence for the user when a column of long texts is not part of what is learned: it may be the background of the question."""
    if seen.form is None:
        return []
    others = [column for column in seen.columns if column not in seen.mapping.values()]
    lengths = {column: [len(text) for row in rows if isinstance(text := row.get(column), str)] for column in others}
    long = [column for column, found in lengths.items() if 2 * sum(length > _LONG_TEXT for length in found) > len(rows)]
    if not long:
        return []
    named = ", ".join(f'"{column}"' for column in long)
    holds, it = ("holds long texts and is", "it belongs") if len(long) == 1 else ("hold long texts and are", "one belongs")
    return [
        f"{named} {holds} kept beside the rows, but not learned from. If {it} to the question, say so: choose it as context "
        f'(--map context="{long[0]}").'
    ]


def check_format(name: str) -> None:
    """Raises WorkbenchError for a format that is not known."""
    if name != "auto" and name not in FORMATS:
        raise WorkbenchError(f'There is no format "{name}". Choose auto or one of {", ".join(FORMATS)}.')


def check_roles(roles: Mapping[str, str]) -> dict[str, str]:
    """The roles of a source in small letters, with what each is. Raises WorkbenchError for one that there is not."""
    for name, role in roles.items():
        if role not in ROLES:
            raise WorkbenchError(f'The role "{name}" cannot be "{role}". Choose one of {", ".join(ROLES)}.')
    return {name.strip().lower(): role for name, role in roles.items()}


def check_mapping(asked: str, mapping: Columns, columns: Sequence[str]) -> None:
    """Raises WorkbenchError for a field that the format does not have or a column that is not there."""
    forms = [FORMATS[asked]] if asked != "auto" else list(FORMATS.values())
    if not any(all(field in form.fields for field in mapping) for form in forms):
        if asked != "auto":
            unknown = next(field for field in mapping if field not in forms[0].fields)
            raise WorkbenchError(f'The format {asked} has no field "{unknown}". Its fields are: {", ".join(forms[0].fields)}.')
        listed = "; ".join(f"{form.name}: {', '.join(form.fields)}" for form in forms)
        raise WorkbenchError(f"No format has the fields {', '.join(mapping)} together. The fields are: {listed}.")
    for field, column in mapping.items():
        if column not in columns:
            raise WorkbenchError(f'There is no column "{column}" for {field}. The columns are: {", ".join(columns) or "none"}.')
