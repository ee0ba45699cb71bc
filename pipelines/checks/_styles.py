"""Style: one of several ways to write the same thing, such as a date; which of them a set uses, and the answers that use another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.checks import Evidence, Measurements, SetFeatures
from pipelines.checks._by_parts import by_parts
from pipelines.checks._majority import NOT_MEASURED, majorities
from pipelines.checks._turns import spans

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_SHOWN = 5
"""Places of one answer that are pointed at."""


@dataclass(frozen=True, slots=True)
class Style:
    """A way to write a thing."""

    pattern: str
    """RE2. Its first group, where it has one, is what is pointed at."""
    example: str
    """How it looks, for people."""


def unusual_styles(
    features: SetFeatures, styles: Mapping[str, Style], *, thing: str, within_language: bool = False, without: str = ""
) -> Measurements:
    """How sure it is, for each answer that writes a thing in another way than usual, that the usual way is the rule, from 0 to 1.

    An answer's own style is the one it uses most; an answer that also uses another than the usual one deviates too. 0 for answers in the
    usual style alone, None for those without the thing, for those that match the RE2 pattern `without`, and, `within_language`, for those
    to prompts in another language than most.
    """
    import numpy as np
    import pyarrow.compute as pc

    answers = answer_texts(features)
    counts = style_counts(answers, [style.pattern for style in styles.values()])
    if without:
        counts[np.asarray(pc.match_substring_regex(answers, without))] = 0
    if within_language:
        counts[~in_main_language(features, counts.sum(axis=1) > 0)] = 0
    forms = np.where(counts.any(axis=1), counts.argmax(axis=1), NOT_MEASURED)
    names = [f"{name} ({style.example})" for name, style in styles.items()]
    patterns = [style.pattern for style in styles.values()]
    return deviations(features, counts, forms, names=names, patterns=patterns, thing=thing)


def deviations(
    features: SetFeatures, counts: np.ndarray, forms: np.ndarray, *, names: list[str], patterns: list[str], thing: str
) -> Measurements:
    """The measurements of `unusual_styles` from how often each answer (row) uses each style (column) and its own style."""
    import numpy as np

    found = majorities(forms, features.column("system"))
    is_measured = found.usual != NOT_MEASURED
    others = counts > 0
    others[np.flatnonzero(is_measured), found.usual[is_measured]] = False
    deviates = is_measured & others.any(axis=1) & (found.share > 0.5)
    values: list[float | None] = [0.0 if measured else None for measured in is_measured.tolist()]
    evidence: list[tuple[Evidence, ...]] = [()] * len(forms)
    answers, turns = answer_texts(features), features.answer_turns
    for row in np.flatnonzero(deviates).tolist():
        usual = int(found.usual[row])
        values[row] = float(found.certainty[row])
        rule = f"{100 * found.share[row]:.0f} % of the answers with {thing} use: {names[usual]}"
        spots = [
            Evidence(int(turns[row]), start, end, note=f"{rule}; here: {names[style]}")
            for style in np.flatnonzero(others[row]).tolist()
            for start, end in spans(patterns[style], answers[row].as_py())
        ]
        evidence[row] = tuple(spots[:_SHOWN])
    return Measurements(values, evidence)


def answer_texts(features: SetFeatures) -> pa.ChunkedArray:
    """The answers, "" where there is none."""
    import pyarrow.compute as pc

    return pc.fill_null(features.column("answer"), "")


def style_counts(texts: pa.ChunkedArray, patterns: list[str]) -> np.ndarray:
    """int32, one row per text and one column per pattern: how often it occurs."""
    import numpy as np
    import pyarrow.compute as pc

    def counts(part: pa.ChunkedArray) -> np.ndarray:
        return np.column_stack([np.asarray(pc.count_substring_regex(part, pattern)).astype(np.int32) for pattern in patterns])

    return np.concatenate(by_parts(counts, texts))


def in_main_language(features: SetFeatures, rows: np.ndarray) -> np.ndarray:
    """bool, one per record: whether its prompt is in the language of most of `rows`, or in none that could be told."""
    import numpy as np
    import pyarrow.compute as pc

    codes = pc.dictionary_encode(pc.fill_null(features.prompt_languages.column("code"), "")).unify_dictionaries().combine_chunks()
    names, numbers = codes.dictionary.to_pylist(), np.asarray(codes.indices)
    is_unknown = numbers == (names.index("") if "" in names else -1)
    told = numbers[rows & ~is_unknown]
    return (numbers == np.bincount(told).argmax()) | is_unknown if told.size else np.ones(len(numbers), bool)
