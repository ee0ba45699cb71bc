"""Answer format: an answer in another form than most answers to the same system prompt, or of the set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.checks import Measurements, SetFeatures, check
from pipelines.checks._by_parts import by_parts
from pipelines.checks._json_text import ATTEMPT
from pipelines.checks._majority import NOT_MEASURED, against_the_majority

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_FORMS = {
    "JSON in a code block": r"^\s*```(?:json|JSON)?[ \t]*\n\s*[\[{]",
    "JSON": ATTEMPT,
    "JSON with words around it": r"(?s)\S.*\{\s*\"[^\"\n]{1,60}\"\s*:.*\}",
    "a table": r"(?m)^[ \t]*\|.+\|[ \t]*\n[ \t]*\|[ \t:|-]+\|[ \t]*$",
    "code": (
        r"(?m)^\s*```|^(?:#include\b|import [\w.]+;?$|from [\w.]+ import |def \w+\(|function \w+\(|public (?:static |class )"
        r"|SELECT\b.+\bFROM\b|<!DOCTYPE|<html)"
    ),
    "Markdown with headings": r"(?m)^#{1,6}[ \t]+.*\pL",
    "a list": r"(?m)^[ \t]*(?:[-*+•–]|\d{1,3}[.)、]|[a-zA-Z][.)])[ \t]*\S.*(?:\n\s*)+^[ \t]*(?:[-*+•–]|\d{1,3}[.)、]|[a-zA-Z][.)])[ \t]*\S",
    "text with **bold** words": r"\*\*[^\s*](?:[^*\n]*[^\s*])?\*\*",
    "a label (a word or number)": (
        r"^\s*(?:[-+]?[$€£¥]?\d[\d.,:/ ]*[%€$°]?|\p{Han}{1,8}|[^\s\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]{1,60}"
        r"(?: [^\s\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]{1,24}){0,2})\s*$"
    ),
    "plain text": r"\S",
}
"""RE2, the most telling form first: an answer has the first form that matches."""
_NAMES = tuple(_FORMS)
_FREE = {_NAMES.index(name) for name in ("Markdown with headings", "a list", "text with **bold** words", "plain text")}
"""Forms of running text: which of them fits is often for the question to say, so a question may ask for another."""
_ASKED = (
    r"(?i)\b(?:lists?|bullet\w*|steps?|outline|enumerate|items|table|columns?|csv|json|xml|html|yaml|markdown|code|program|function|script|query|sql"
    r"|python|java\w*|regex|one word|yes or no|true or false|classify|identify|name|which|how many|calculate|compute"
    r"|tabelle|liste\w*|schritte"
    r"|tableau|étapes|lista|tabla|pasos)\b|列表|列出|列举|表格|步骤|代码|分类|计算|哪"
)
"""RE2."""


@check(title="Answers in an unusual format", unit="certainty", group="format", flag_above=0.85, scope="set", version=2)
def answer_format(features: SetFeatures) -> Measurements:
    """How surely the answer's format (JSON, table, list, code, Markdown, plain text, a label) differs from the usual one, from 0 to 1.

    A model that is shown two formats for the same task uses both, and the program or person that reads its answers is surprised. Rewrite
    the answer in the usual format, or drop the row.

    The usual format is that of most answers to the same system prompt, where 20 rows or more have it, or else of the whole set. The value
    is the lower end of the 95 % interval of its share, and 0 for answers that have it: a set where no format has a clear majority is not
    flagged. In sets of running text a list, a table, code or a short answer does not count where the question asks for one, nor does a
    list or a heading where the rows have no system prompt. Not measured for empty answers.
    """
    import numpy as np

    forms = np.concatenate(by_parts(answer_forms, features.column("answer")))
    has_task = _matches(features.column("system"), r"\S")
    is_asked = _matches(features.column("prompt"), _ASKED)
    return against_the_majority(
        features,
        forms,
        _NAMES,
        is_excused=lambda row, usual: usual in _FREE and bool((forms[row] in _FREE and not has_task[row]) or is_asked[row]),
    )


def _matches(texts: pa.ChunkedArray, pattern: str) -> np.ndarray:
    import numpy as np
    import pyarrow.compute as pc

    return np.concatenate(by_parts(lambda part: np.asarray(pc.fill_null(pc.match_substring_regex(part, pattern), False)), texts))


def answer_forms(answers: pa.ChunkedArray) -> np.ndarray:
    """int64, one per answer: its form as an index of the list of forms, NOT_MEASURED for an empty one."""
    import numpy as np
    import pyarrow.compute as pc

    forms = np.full(len(answers), NOT_MEASURED, np.int64)
    rows = np.arange(len(answers))
    left = pc.fill_null(answers, "")
    for form, pattern in enumerate(_FORMS.values()):
        matched = pc.match_substring_regex(left, pattern)
        hits = np.asarray(matched)
        forms[rows[hits]] = form
        rows, left = rows[~hits], left.filter(pc.invert(matched))
    return forms
