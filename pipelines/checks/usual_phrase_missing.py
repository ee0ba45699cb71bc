"""Usual phrase: a greeting, sign-off or notice that most answers open or close with, and that this one lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.checks import Evidence, Measurements, SetFeatures, check
from pipelines.checks._by_parts import by_parts
from pipelines.checks._majority import FEWEST_RECORDS, wilson_low
from pipelines.checks._styles import answer_texts

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_SHARE = 0.6
"""Of the answers: what has to hold a phrase before it is the usual one."""
_BREAKS = r".!?…。！？\n"
_PLACES = {
    "open": rf"^\s*(?P<phrase>[^{_BREAKS}]+[{_BREAKS}])",
    "close": rf"[{_BREAKS}][\s*_]*(?P<phrase>[^{_BREAKS}]+[.!?…。！？]*)\s*$",
}
"""RE2: the first and the last line or sentence, where there is another one beside it."""
_SHORTEST, _LONGEST = 4, 160
"""Characters of a phrase. Counted afterwards: counting inside a pattern takes RE2 ten times as long."""
_NEAR = 2 * _LONGEST
"""Characters at the start or the end of an answer that are looked at for its first or last line."""
_WORDS = r"\pL{2,}\PL+\pL{2,}|[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]{5,}"
"""What makes a phrase: two words, or some letters of a script without spaces."""
_DATA = r"^\s*(?:[\[{<|]|```)"


@check(title="Answers without the usual opening or closing", unit="certainty", group="format", flag_above=0.6, scope="set")
def usual_phrase_missing(features: SetFeatures) -> Measurements:
    """How surely answers like this open or close with a certain phrase (a greeting, a sign-off, a notice) that this one lacks, from 0 to 1.

    The model would leave it out now and then. Add the phrase, or drop the row; a rule can require it from now on.

    A phrase is usual where at least 60 % of the answers to the same system prompt (20 answers or more, or else of the whole set) have it as
    their first or last line or sentence, written the same but for case and punctuation. The value is the lower end of the 95 % interval of
    that share, 0 for answers that have it and where there is no such phrase. Not measured for empty answers, nor for JSON, tables and code.
    """
    import numpy as np
    import pyarrow.compute as pc

    answers = answer_texts(features)
    is_measured = np.concatenate(by_parts(_is_measured, answers))
    systems = pc.dictionary_encode(pc.fill_null(features.column("system"), "")).unify_dictionaries().combine_chunks()
    groups = np.asarray(systems.indices).astype(np.int64)
    is_large = np.bincount(groups[is_measured], minlength=len(systems.dictionary)) >= FEWEST_RECORDS
    groups = np.where(is_large[groups], groups, len(is_large))
    values: list[float | None] = [0.0 if measured else None for measured in is_measured.tolist()]
    evidence: list[tuple[Evidence, ...]] = [()] * len(values)
    turns = features.answer_turns
    for place in _PLACES:
        phrases, numbers = _phrases(answers, place)
        for group in np.unique(groups[is_measured]).tolist():
            compared = is_measured & (groups == group) if group < len(is_large) else is_measured
            usual, times = _most_common(numbers[compared])
            total = int(compared.sum())
            if total < FEWEST_RECORDS or times < _SHARE * total:
                continue
            certainty = float(wilson_low(np.array([times]), np.array([total]))[0])
            note = f"{100 * times / total:.0f} % of the answers {place} with “{phrases[usual]}”; this one does not"
            for row in np.flatnonzero(is_measured & (groups == group) & (numbers != usual)).tolist():
                values[row] = max(values[row] or 0.0, certainty)
                evidence[row] = (*evidence[row], Evidence(int(turns[row]), note=note))
    return Measurements(values, evidence)


def _is_measured(answers: pa.ChunkedArray) -> np.ndarray:
    import numpy as np
    import pyarrow.compute as pc

    return np.asarray(pc.and_(pc.match_substring_regex(answers, r"\S"), pc.invert(pc.match_substring_regex(answers, _DATA))))


def _phrases(answers: pa.ChunkedArray, place: str) -> tuple[list[str], np.ndarray]:
    """The different phrases, and per answer (int64) the number of its own, -1 where it has none."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = by_parts(lambda part: _plain(part, place), answers)
    plain = pa.chunked_array([chunk for part in parts for chunk in part.chunks], parts[0].type)
    encoded = pc.dictionary_encode(plain).unify_dictionaries().combine_chunks()
    return encoded.dictionary.to_pylist(), np.asarray(pc.fill_null(encoded.indices, -1)).astype(np.int64)


def _plain(answers: pa.ChunkedArray, place: str) -> pa.ChunkedArray:
    """The words of each answer's phrase, null where it has none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if place == "open":
        near = pc.utf8_slice_codeunits(pc.utf8_ltrim_whitespace(answers), 0, _NEAR)
    else:
        near = pc.utf8_slice_codeunits(pc.utf8_rtrim_whitespace(answers), -_NEAR)
    found = pc.struct_field(pc.extract_regex(near, _PLACES[place]), "phrase")
    length = pc.utf8_length(found)
    found = pc.if_else(pc.and_(pc.greater_equal(length, _SHORTEST), pc.less_equal(length, _LONGEST)), found, pa.scalar(None, found.type))
    words = pc.utf8_lower(pc.utf8_trim_whitespace(pc.replace_substring_regex(found, r"[^\pL\pN]+", " ")))
    return pc.if_else(pc.match_substring_regex(words, _WORDS), words, pa.scalar(None, words.type))


def _most_common(numbers: np.ndarray) -> tuple[int, int]:
    """The number that occurs most, and how often; -1 is none."""
    import numpy as np

    counts = np.bincount(numbers[numbers >= 0], minlength=1)
    return int(counts.argmax()), int(counts.max())
