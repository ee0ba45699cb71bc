"""Final answer style: an answer that gives its result in another way than most, or does not mark it at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.checks import Measurements, SetFeatures, check
from pipelines.checks._by_parts import by_parts
from pipelines.checks._majority import NOT_MEASURED, against_the_majority

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_STYLES = {
    'given after "####"': r"(?:^|\n)####[ \t]*\S[^\n]*\s*$",
    "given in \\boxed{}": r"\\boxed\{",
    'given as "The answer is …"': (
        r"(?i)(?:\b(?:final )?answer(?: is|:)|\bthe result is|\b(?:die )?antwort (?:ist|lautet)"
        r"|\bla r[ée]ponse est|\bla respuesta es|答案(?:是|为|：|:))"
        r"[^\n]{1,80}\s*$"
    ),
    "given without such a mark": r"\S",
}
"""RE2; an answer has the first style that matches."""
_NAMES = tuple(_STYLES)
_IN_WORDS, _UNMARKED = len(_NAMES) - 2, len(_NAMES) - 1
_END = 200
"""Characters at the end of an answer that hold a result given in words."""


@check(title="Results given in another way than usual", unit="certainty", group="format", flag_above=0.85, scope="set")
def final_answer_style(features: SetFeatures) -> Measurements:
    r"""How surely the answer gives its result in another way (#### 42, \boxed{42}, "The answer is 42") than the set does, from 0 to 1.

    A program that reads the result out of the model's answers misses it where it is marked in another way. Add the usual mark, or drop the
    row.

    The usual way is that of most answers to the same system prompt, where 20 rows or more have it, or else of the whole set. The value is
    the lower end of the 95 % interval of its share, and 0 for answers that follow it and in sets that mark no results. Not measured for
    empty answers.
    """
    import numpy as np
    import pyarrow.compute as pc

    def forms_of(answers: pa.ChunkedArray) -> np.ndarray:
        forms = np.full(len(answers), NOT_MEASURED, np.int64)
        ends = pc.utf8_slice_codeunits(pc.utf8_rtrim_whitespace(answers), -_END)
        for form, pattern in reversed(list(enumerate(_STYLES.values()))):
            looked_at = ends if form == _IN_WORDS else answers
            forms[np.asarray(pc.match_substring_regex(looked_at, pattern))] = form
        return forms

    forms = np.concatenate(by_parts(forms_of, pc.fill_null(features.column("answer"), "")))
    return against_the_majority(features, forms, _NAMES, is_excused=lambda row, usual: usual == _UNMARKED)
