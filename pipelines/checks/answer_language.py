"""Answer language: an answer in another language than its prompt."""

from __future__ import annotations

import re

from pipelines.checks import Batch, Evidence, Measurements, check
from pipelines.checks._languages import ENGLISH, PLAIN, READ, Language, english_words, language, parts_in, prompt_languages
from pipelines.checks._turns import answer_turns, values

_FEWEST_ASKED = 20
_SHORT = 60
_SURE = 0.6
_ABOUT_LANGUAGE = (
    r"translat|paraphras|language|bilingual|locali[sz]|übersetz|sprache|traduc|traduir|traduis|traduz|idioma|langue|vertaal|vertaling|taal\b"
    r"|翻译|翻譯|译成|译为|译文|语言|英文|英语|中文|汉语|法语|法文|德语|德文|日语|日文|韩语|西班牙语|俄语|外语|拼音|单词|语法|音标"
    r"|\b(?:english|french|german|spanish|italian|portuguese|dutch|chinese|mandarin|japanese|korean|russian|arabic|hindi|turkish|polish|latin"
    r"|swedish|danish|norwegian|finnish|czech|slovak|greek|hebrew|thai|vietnamese|indonesian|ukrainian|romanian|hungarian|catalan|bulgarian"
    r"|croatian|serbian|persian|farsi|urdu|bengali|tamil|irish|welsh|deutsch\w*|englisch\w*|französisch\w*|spanisch\w*|italienisch\w*|chinesisch\w*"
    r"|anglais\w*|allemand\w*|français\w*|espagnol\w*|chinois\w*|inglés|alemán|español\w*|francés|inglese|tedesco|francese|spagnolo|engels|duits|frans)\b"
)


@check(title="Answers in another language", unit="certainty", group="language", flag_above=0.8)
def answer_language(batch: Batch) -> Measurements:
    """How surely the answer is in another language than the prompt, from 0 (the same language) to 1.

    The model would learn to change languages on its own. Translate the answer, or drop the row. Not measured where prompt or answer
    is too short to tell (20 and 40 letters), is code, or where the prompt or system prompt speaks of a language or a translation.
    Sister languages such as Danish and Norwegian count as one.
    """
    import numpy as np
    import pyarrow.compute as pc

    asked, said = (english_words(batch.column(column)) for column in ("prompt", "answer"))
    prompts = prompt_languages(batch)
    is_short = np.asarray(pc.less(pc.utf8_length(batch.column("prompt")), _SHORT))
    same = (said >= PLAIN) & ((asked >= 2) | ((asked == 1) & is_short))
    found: list[float | None] = [0.0 if each else None for each in same.tolist()]
    evidence: list[tuple[Evidence, ...]] = [()] * len(batch)
    others = np.flatnonzero(~same)
    turns = answer_turns(batch.column("messages"), batch.column("chosen"))
    texts = [values(batch.column(column).take(others)) for column in ("system", "prompt", "answer")]
    for i, row in zip(others.tolist(), zip(*texts, strict=True), strict=True):
        difference = _difference(*row, opening=prompts[i])
        if difference is not None:
            found[i], note = difference
            evidence[i] = (Evidence(int(turns[i]), note=note),) if note else ()
    return Measurements(found, evidence)


def _difference(system: str, prompt: str, answer: str, *, opening: Language | None) -> tuple[float, str] | None:
    """How sure it is that the languages differ, with a note; None where it cannot be told. `opening`: of the prompt's beginning."""
    said = language(answer)
    if said is None:
        return None
    asked = opening
    if asked is None or (len(prompt) > READ and asked is not ENGLISH):  # the question itself often stands behind a long text
        asked = language(prompt[-READ:], fewest=_FEWEST_ASKED)
    if asked is None:
        return None
    if asked.code == said.code or _stands_in(prompt, answer, said):
        return 0.0, ""
    if asked.score < _SURE or re.search(_ABOUT_LANGUAGE, f"{prompt}\n{system}", re.IGNORECASE):
        return None
    return said.score, f"the prompt is {asked.name}, the answer {said.name}"


def _stands_in(prompt: str, answer: str, said: Language) -> bool:
    """Whether a part of the prompt is in the answer's language, or a Chinese, Japanese or Korean prompt quotes a word of the answer."""
    words = set(re.findall(r"[a-z]{4,}", prompt.lower()))
    if not prompt.isascii() and said.code not in ("zh", "ja", "ko") and words & set(re.findall(r"[a-z]{4,}", answer.lower())):
        return True
    return parts_in(prompt, said.code)
