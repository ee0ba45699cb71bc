"""Unbalanced bracket: a bracket that is opened and never closed, or closed and never opened."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from pipelines.checks import Batch, Evidence, Measurements, check
from pipelines.checks._prose import prose
from pipelines.checks._turns import Findings, turns_of, turns_where
from pipelines.checks._utf8 import utf8

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_PAIRS = {"(": ")", "[": "]", "{": "}", "【": "】", "「": "」", "《": "》"}
_CLOSING = {closing: opening for opening, closing in _PAIRS.items()}
_WIDE = str.maketrans("（）［］", "()[]")
"""Wide brackets are often closed by narrow ones, and nobody minds."""
_BRACKET = re.compile(r"[()\[\]{}【】「」《》]")
_NUMBERING = re.compile(r"(?:^|[\s,;])(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})$")
_NO_PAIR = re.compile(
    r"(?:[:;=8xX][-o'^]?|[-^][_.][-^])[()\[\]{}]+"  # :-)
    r"|\\[()\[\]{}]|[\[(][^\s()\[\]]{1,12}, ?[^\s()\[\]]{1,12}[)\]]"  # LaTeX, and intervals such as [0, 1)
    r"|<[-=]?[(\[{]+|[)\]}]+[-=]?>|[(\[{]\s*[\"'“”‘’`][()\[\]{}]+[\"'“”‘’`]|[\"'“”‘’`][()\[\]{}]+[\"'“”‘’`]",
    re.MULTILINE,
)
_FORMULA = re.compile(r"\$\$?(?!\d)[^$]{1,400}\$\$?|\\\[.*?\\\]|\\\(.*?\\\)", re.DOTALL)
_ABOUT_CODE = re.compile(
    r"^\s*[\[{]|[;{]\s*$|\b(?:def|class|function|return|import|SELECT|print|const|var|let)\b[^\n]*[(;{]|</?\w+>|\\[a-z]{3,}", re.MULTILINE
)


@check(title="Brackets without a partner", unit="brackets", group="format", severity="info", flag_above=0)
def unbalanced_bracket(batch: Batch) -> Measurements:
    """Number of brackets in an answer's text that are opened and never closed, or closed and never opened.

    A part of the sentence was often lost with the other one. Add the missing bracket or the lost words, or drop the row.

    Not looked at: code, JSON, formulas, intervals such as [0, 1), numbering such as a) and 1), and faces such as :-).
    """
    turns = turns_of(batch, ["assistant"])
    found = Findings(len(batch))
    for turn in turns_where(turns, _may_lack_one(turns.column("content"))):
        if _ABOUT_CODE.search(turn.content):
            continue
        for position in _without_partner(turn.content):
            found.add(turn.record, Evidence(turn.turn, position, position + 1, note="this bracket has no partner"))
    return found.measurements()


def _may_lack_one(contents: pa.ChunkedArray) -> pa.Array:
    """Whether a text holds more or fewer opening than closing brackets of a kind; narrow and wide ones are one kind."""
    import numpy as np
    import pyarrow as pa

    from pipelines.features.kernels import unequal_pairs

    text = utf8(contents)
    found = np.zeros(len(contents), bool)
    unequal_pairs(text.letters, text.starts, text.stops, _steps(), found)
    return pa.array(found)


@functools.cache
def _steps() -> np.ndarray:
    """The brackets by their UTF-8 bytes, as `unequal_pairs` wants them."""
    import numpy as np

    steps = np.zeros((3, 256), np.int8)
    for pair, (opening, closing) in enumerate((("(（", ")）"), ("[［", "]］"), ("{", "}"), ("【", "】"), ("「", "」"), ("《", "》")), 1):
        for sign, brackets in ((1, opening), (-1, closing)):
            for bracket in brackets:
                *lead, last = bracket.encode()
                steps[{b"": 0, b"\xe3\x80": 1, b"\xef\xbc": 2}[bytes(lead)], last] = sign * pair
    return steps


def _without_partner(content: str) -> list[int]:
    """Positions of the brackets that no other one matches."""
    text = _FORMULA.sub(lambda part: " " * len(part.group()), prose(content).translate(_WIDE))
    text = _NO_PAIR.sub(lambda part: " " * len(part.group()) if not _is_balanced(part.group()) else part.group(), text)
    waiting: list[tuple[str, int]] = []
    alone: list[int] = []
    for match in _BRACKET.finditer(text):
        bracket = match.group()
        if bracket in _PAIRS:
            waiting.append((bracket, match.start()))
        elif waiting and waiting[-1][0] == _CLOSING[bracket]:
            waiting.pop()
        elif not _NUMBERING.search(text, max(match.start() - 6, 0), match.start()):
            alone.append(match.start())
    return sorted([*alone, *(position for _, position in waiting)])


def _is_balanced(text: str) -> bool:
    return all(text.count(opening) == text.count(closing) for opening, closing in _PAIRS.items())
