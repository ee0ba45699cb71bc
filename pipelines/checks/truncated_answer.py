"""Truncated answer: an answer that stops in the middle of a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipelines.checks import Batch, Evidence, Measurements, check
from pipelines.checks._json_text import ATTEMPT, ENDS_EARLY, read_json
from pipelines.checks._prose import prose
from pipelines.checks._turns import Findings, turns_of, turns_where

_OPEN_END = r"(?:[\pL\pN,、，：:(（\[–—-])\s*$"
"""RE2: the answer ends with a letter, a digit or a mark that something has to follow."""
_OPEN_JSON = rf'{ATTEMPT}[^§]*[^"]{{60,}}[\pL,、，：:(–—-]"\s*[,}}\]]'
_CUT_JSON = rf"{ATTEMPT}.*[^\s}}\]`]\s*$"
_DANGLING = re.compile(r"(?:[,、，：:(（\[–—]|(?<=[^\W\d_])-)$")
_FUNCTION_WORD = re.compile(
    r"(?<![\w'’.])(?:the|an?|of|and|or|but|with|for|by|from|is|are|was|were|that|which|as|at|into|our|their|its|your|my|to|because"
    r"|und|oder|der|die|das|dem|den|ein|eine|einen|mit|für|von|zu|et|ou|le|la|les|des|du|une|avec|pour|y|el|los|las|que|con|para"
    r"|il|gli|di|che|per|het|een|van|met|voor)$"
)
_LONGEST_FUNCTION_WORD = 7
_SENTENCE_END = re.compile(r"(?<=[^\W\d_]{2})[.!?][\"'”’)]*\s+(?=[^\s])|[。！？][\"”’）」』]*")
_STARTS_SENTENCE = re.compile(
    r"(?:The|A|An|This|That|These|Those|There|Here|It|In|On|At|And|But|Or|So|For|As|If|To|By|With|From|When|While|Where|What|Which|Who|How"
    r"|Why|After|Before|Once|Until|Since|Because|Although|However|Then|Also|Additionally|He|She|We|They|I|You|My|Your|Our|His|Her|Their"
    r"|Its|All|Each|Every|Some|Many|Most|Both|One|Another|No|Not|Please|Let|Make|Use|Open|Set|Click"
    r"|Der|Die|Das|Ein|Eine|Wir|Sie|Bitte|Le|La|Les|Nous|Vous|El|Los|Las|Il|De|Het|Wij)\b"
)
_SIGNED = re.compile(
    r"sincerely|regards|yours|love,|cheers|thanks|respectfully|with (?:respect|gratitude|love)|warmly|truly|faithfully|grüße|cordialement"
    r"|saludos|[\"'”’] ?[–—-] ?[A-Z]|#\w+$|https?:|www\.",
    re.IGNORECASE,
)
_CODE = re.compile(r"[{}=$\\|]|=>|->|</|/>|<\w|\(\)|^\s*(?:#!|//|\$|>>>|def |import |from |SELECT |echo |find |[a-z]+ -)", re.MULTILINE)
_FULL_STOP = re.compile(r"[.!?…。！？][\"'”’)）」』*]*$")
_WORD = re.compile(r"[^\W\d_]{2,}")
_CJK = r"[\u3040-\u30ff\u4e00-\u9fff]"


@check(title="Answers that stop in the middle", unit="answers", group="text", flag_above=0)
def truncated_answer(batch: Batch) -> Measurements:
    """Number of answers that stop in the middle of a sentence, or inside their JSON.

    The model would learn to stop in the middle. Complete the answer, or drop the row. Counted: an end on a comma, colon, open bracket
    or a word such as "the" or "of"; a begun sentence after complete ones; a long last paragraph without a full stop where the others
    have one; JSON that is not closed, or whose text stops like this. Labels, lists, names, numbers, code and signatures are not.
    """
    import pyarrow.compute as pc

    turns = turns_of(batch, ["assistant"])
    content = turns.column("content")
    long = pc.or_(pc.greater_equal(pc.utf8_length(content), 40), pc.match_substring_regex(content, r"\p{Han}{12}"))
    opens = pc.match_substring_regex(content, f"{_OPEN_END}|(?s){_OPEN_JSON}|(?s){_CUT_JSON}")
    found = Findings(len(batch))
    for turn in turns_where(turns, pc.and_(long, opens)):
        if reason := why_cut(turn.content):
            end = len(turn.content.rstrip())
            found.add(turn.record, Evidence(turn.turn, max(end - 30, 0), end, note=reason))
    return found.measurements()


def why_cut(content: str) -> str | None:
    """Why an answer looks cut off, or None."""
    if re.match(ATTEMPT, content):
        read = read_json(content)
        if read.value is None:
            return ENDS_EARLY if any(fault.reason == ENDS_EARLY for fault in read.faults) else None
        return next((reason for text in _long_texts(read.value) if (reason := _cut_prose(text))), None)
    words = prose(content).rstrip()
    return _cut_prose(words) if len(words) == len(content.rstrip()) else None  # an answer that ends with a code block is complete


def _long_texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _long_texts(part)
    elif isinstance(value, str) and len(value) >= 60:
        yield value.rstrip()


def _cut_prose(text: str) -> str | None:
    line = text[text.rfind("\n") + 1 :]
    reason = _open_end(text, line) if text else None
    return None if reason is None or _CODE.search(line) or _SIGNED.search(line[-60:]) else reason  # the patterns cost most: they come last


def _open_end(text: str, line: str) -> str | None:
    """Why the end of a text looks cut off, code and signatures included; `line` is the last one."""
    if _DANGLING.search(text, len(text) - 1):
        return f'stops after "{_last_words(line)}"'
    if not text[-1].isalnum():
        return None
    if _FUNCTION_WORD.search(line, max(len(line) - _LONGEST_FUNCTION_WORD, 0)) and len(line.split()) >= 4:
        return f'stops after "{_last_words(line)}"'
    *sentences, rest = _SENTENCE_END.split(line)
    if sentences and _is_begun_sentence(rest):
        return f'the last sentence has no end: "{_last_words(rest)}"'
    before = text[: len(text) - len(line)].rstrip()
    is_paragraph = text[-1].isalpha() and line[0] != "#" and not before.endswith(",")  # not a sum, a heading, a name under a letter
    if not sentences and is_paragraph and _is_prose(line, words=4, characters=8) and _all_end(before):
        return "the last paragraph has no end, the others have"
    if not sentences and line == text and _is_prose(line, words=25, characters=40):
        return "a long sentence without an end"
    return None


def _last_words(line: str) -> str:
    return " ".join(line.split()[-4:])[-40:]


def _all_end(paragraphs: str) -> bool:
    """Whether there are two paragraphs of prose or more and each ends with a full stop or the like."""
    others = [line.rstrip() for line in paragraphs.splitlines() if _is_prose(line, words=4, characters=8)]
    return len(others) >= 2 and all(_FULL_STOP.search(line) for line in others)


def _is_prose(line: str, *, words: int, characters: int) -> bool:
    return len(_WORD.findall(line)) >= words or len(re.findall(_CJK, line)) >= characters


def _is_begun_sentence(rest: str) -> bool:
    return bool(rest) and rest[0] not in "#@–—-" and (_is_prose(rest, words=4, characters=6) or bool(_STARTS_SENTENCE.match(rest)))
