"""End mark missing: an answer without a full stop at its end, in a set where nearly all have one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.checks import Evidence, Measurements, SetFeatures, check
from pipelines.checks._by_parts import by_parts
from pipelines.checks._majority import NOT_MEASURED, majorities
from pipelines.checks._styles import answer_texts
from pipelines.checks.truncated_answer import why_cut

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_USUAL = 0.9
_SENTENCE = r"(?s)^[^{\[<#|].*\pL{2,}[ ,;]+\S*\pL{2,}\S*[ ,;]+\S*\pL{2,}.*|\p{Han}{12}"
"""RE2: words in a row, and not JSON, markup, a heading or a table."""
_MARKED = r"[.!?…。！？:：;；][\"'”’»)）」』*_\]]*\s*$"
_OPEN = r"[\pL\pN,]\s*$"
_END = 200
"""Characters at the end of an answer that tell how it ends."""
_CLOSINGS = (
    "affection|affectionately|admiration|anticipation|best|cheers|cordialement|cordially|faithful|faithfully|forever|grüße|grüßen|gratitude|"
    "groet|groeten|hope|love|regards|respect|respectfully|saludos|saluti|salutations|sincerely|thanks|truly|warmly|wishes|your|yours"
)
_NO_SENTENCE = (
    r"(?:^|\n)\s*(?:[-*•–+]|\(?\d{1,3}[.)]|\(?[A-Za-z][.)])\s[^\n.!?。]{0,90}$",  # an item of a list
    r"(?:^|\s)\d{1,3}[.)]\s[^\n]{1,40}$",  # and of one in a line
    r"(?i:(?:^|[.!?…]['\"”’]?\s|\n)[\pL' ]*"  # a letter's closing and who signs
    rf"\b(?:{_CLOSINGS})\b[\pL' ]*,\s*[^.!?\n]+(?:\n+[^.!?\n]+)*$)",
    r"[\"”'’.!?…。]\s*[-–—]\s?\p{Lu}[\pL .']*$",  # who said it
    r"#\w+$",
    r"[:=：＝]\s*[\w.,%°$€+-]{1,20}(?:\s[\w°%]{1,12})?$",  # a result
    r"(?:^|\n)[\w ]{1,30}:[^\n]*\n+[\w ]{1,30}:\s[^\n.!?]{1,90}$",  # lines with names before them
    r"(?:^|\n)[^\n]*\|[^\n]*$",  # a table
    r"(?:^|\n)(?:[\p{Lu}\d][\w'’-]*:?(?: (?:of|the|and|for|in|an?|to|with|from|on|or|by))* ?){3,14}$",  # a title
    r"(?:^|\n)(?: {4,}|\t)\s*return\b[^\n]*$",  # code
    r"(?:^|\s)[\w/-]*(?:\.[\w/-]+)*\.[a-z]{2,4}$",  # a name of a site
)
"""RE2: ends that are complete without a mark, with a few characters of what comes before. All in one pattern took RE2 ten times as long."""
_FEWEST_CHARACTERS = 40
_WITH, _WITHOUT = 0, 1
_POINTED_AT = 30


@check(
    title="Answers that do not end like the others",
    unit="how sure that the others end with a mark",
    group="text",
    flag_above=_USUAL,
    scope="set",
    version=2,
)
def end_mark_missing(features: SetFeatures) -> Measurements:
    """How sure it is that an answer of this set ends with a full stop or the like, for each that does not, from 0 to 1.

    Where all the others end a sentence, this one was probably cut off, however well it reads. Complete it, or drop the row.

    Answers of 40 characters or more in words are compared, those to one system prompt with each other. An end on a letter, a digit or
    a comma counts, but not in a list, a table, a title, a result, a signature and the like. Answers that "Answers that stop in the
    middle" names are left to it. Not measured in sets of fewer than 20 such answers.
    """
    import numpy as np

    answers = answer_texts(features)
    forms = np.concatenate(by_parts(_ends, answers))
    found = majorities(forms, features.column("system"))
    values: list[float | None] = [None if usual == NOT_MEASURED else 0.0 for usual in found.usual.tolist()]
    evidence: list[tuple[Evidence, ...]] = [()] * len(values)
    deviates: np.ndarray = (found.usual == _WITH) & (forms == _WITHOUT) & (found.certainty > 0.5)
    turns = features.answer_turns
    for row in np.flatnonzero(deviates).tolist():
        text = answers[row].as_py().rstrip()
        if why_cut(text) is None:
            values[row] = float(found.certainty[row])
            note = f"{100 * found.share[row]:.0f} % of the answers end with a mark; this one stops here"
            evidence[row] = (Evidence(int(turns[row]), max(len(text) - _POINTED_AT, 0), len(text), note=note),)
    return Measurements(values, evidence)


def _ends(answers: pa.ChunkedArray) -> np.ndarray:
    """int64, one per answer: whether it ends with a mark, without one, or is not looked at."""
    import numpy as np
    import pyarrow.compute as pc

    is_text = pc.and_(pc.match_substring_regex(answers, _SENTENCE), pc.greater_equal(pc.utf8_length(answers), _FEWEST_CHARACTERS))
    ends = pc.utf8_slice_codeunits(pc.utf8_rtrim_whitespace(answers), -_END)
    has_mark = np.asarray(pc.match_substring_regex(ends, _MARKED))
    is_open = np.asarray(pc.and_(is_text, pc.match_substring_regex(ends, _OPEN)))
    open_rows = np.flatnonzero(is_open)
    ends = ends.take(open_rows)
    for pattern in _NO_SENTENCE:
        is_open[open_rows[np.asarray(pc.match_substring_regex(ends, pattern), bool)]] = False
    return np.where(np.asarray(is_text), np.where(has_mark, _WITH, np.where(is_open, _WITHOUT, NOT_MEASURED)), NOT_MEASURED)
