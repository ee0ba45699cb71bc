"""Majority: which form most rows of a set, or of one system prompt, have, and how surely that is the rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.checks import Evidence, Measurements, SetFeatures

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

NOT_MEASURED = -1
FEWEST_RECORDS = 20
_Z = 1.96
"""Of a two-sided interval of 95 %."""


@dataclass(frozen=True, slots=True)
class Majorities:
    """The usual form for each row. Rows of one system prompt are compared with each other where there are enough of them."""

    usual: np.ndarray
    """int64, one per row: the form that most rows it is compared with have; NOT_MEASURED where there are too few."""
    certainty: np.ndarray
    """float64: lower end of the 95 % interval of that form's share (Wilson 1927), from 0 to 1."""
    share: np.ndarray
    """float64: that form's share of the rows compared with."""
    by_system: np.ndarray
    """bool: whether the row is compared with those of its system prompt alone, not with the whole set."""


def majorities(forms: np.ndarray, systems: pa.ChunkedArray) -> Majorities:
    """What is usual, from a form number per row (NOT_MEASURED for rows that have none) and the rows' system prompts."""
    import numpy as np
    import pyarrow.compute as pc

    groups = np.asarray(pc.dictionary_encode(pc.fill_null(systems, "")).unify_dictionaries().combine_chunks().indices).astype(np.int64)
    some = forms != NOT_MEASURED
    kinds = int(forms.max(initial=0)) + 1
    counts = np.zeros((int(groups.max(initial=0)) + 1, kinds), np.int64)
    np.add.at(counts, (groups[some], forms[some]), 1)
    whole = counts.sum(axis=0)
    is_large = counts.sum(axis=1) >= FEWEST_RECORDS
    compared = np.where(is_large[:, None], counts, whole)
    total, most = compared.sum(axis=1), compared.max(axis=1)
    enough = some & (total >= FEWEST_RECORDS)[groups]
    return Majorities(
        usual=np.where(enough, compared.argmax(axis=1)[groups], NOT_MEASURED),
        certainty=wilson_low(most, total)[groups],
        share=(most / np.maximum(total, 1))[groups],
        by_system=(is_large & (is_large.sum() > 1))[groups],
    )


def wilson_low(hits: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Lower end of Wilson's interval of a share (1927), 0 where nothing was counted."""
    import numpy as np

    n = np.maximum(total, 1).astype(np.float64)
    share = hits / n
    middle = share + _Z**2 / (2 * n)
    half = _Z * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return np.where(total > 0, np.maximum((middle - half) / (1 + _Z**2 / n), 0.0), 0.0)


def against_the_majority(
    features: SetFeatures,
    forms: np.ndarray,
    names: Sequence[str],
    *,
    is_excused: Callable[[int, int], bool] = lambda row, usual: False,
) -> Measurements:
    """How sure the usual form is for each row that has another one; 0 for rows that follow it, None for those without a form.

    `names` say each form so that "most answers are …" reads well. `is_excused` is asked of a row and the usual form before it is
    counted as a deviation.
    """
    import numpy as np

    found = majorities(forms, features.column("system"))
    values: list[float | None] = [None if usual == NOT_MEASURED else 0.0 for usual in found.usual.tolist()]
    evidence: list[tuple[Evidence, ...]] = [()] * len(forms)
    turns = features.answer_turns
    for row in np.flatnonzero((found.usual != NOT_MEASURED) & (forms != found.usual)).tolist():
        usual, form = int(found.usual[row]), int(forms[row])
        if found.share[row] <= 0.5 or is_excused(row, usual):
            continue
        values[row] = float(found.certainty[row])
        scope = "to this system prompt " if found.by_system[row] else ""
        note = f"{100 * found.share[row]:.0f} % of the answers {scope}are {names[usual]}; this one is {names[form]}"
        evidence[row] = (Evidence(int(turns[row]), note=note),)
    return Measurements(values, evidence)
