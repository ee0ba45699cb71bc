"""Control tokens: marks of a chat template left inside the text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pipelines.checks import Batch, Evidence, Measurements, check, fix
from pipelines.checks._turns import Findings, turns_with
from pipelines.records import Message

_MARK = (
    r"<\|[A-Za-z][A-Za-z0-9_-]{0,40}\|>"  # ChatML, Llama 3, Phi, Zephyr, Cohere, gpt-oss
    r"|<｜[^｜<>\n]{1,40}｜>"  # DeepSeek
    r"|\[/?INST\]|<</?SYS>>|\[/?(?:AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]"  # Llama 2, Mistral
    r"|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>|</?s>"  # Gemma, sentencepiece
    r"|\[gMASK\]"  # GLM
    r"|(?:^|\n)### ?(?:Instruction|Response|Input|Human|Assistant):"  # Alpaca, Vicuna
)


@check(title="Chat template tokens inside the text", unit="tokens", group="structure", severity="error", flag_above=0)
def control_tokens(batch: Batch) -> Measurements:
    """Number of chat template marks such as <|im_start|>, [INST], </s> or "### Response:" inside the text of a turn.

    They come from a set that was already prepared for one model; in training they end a turn in the middle, or teach the model to
    write them. Remove them, or import the set again from its original. Struck-out text (<s>…</s>) is not counted.
    """
    mark = re.compile(_MARK)
    found = Findings(len(batch))
    for turn in turns_with(batch, _MARK, having="<[#"):
        struck = _struck_out(turn.content)
        for match in mark.finditer(turn.content):
            if match.start() not in struck:
                start = match.start() + (match.group()[0] == "\n")
                found.add(turn.record, Evidence(turn.turn, start, match.end(), note="mark of a chat template"))
    return found.measurements()


def _struck_out(content: str) -> set[int]:
    """Where the tags of HTML's <s>struck-out text</s> stand. A pair around the whole text is a template's."""
    return {
        position
        for match in re.finditer(r"<s>[^<>\n]{1,200}(</s>)", content)
        if match.start() > 0 or match.end() < len(content.rstrip())
        for position in (match.start(), match.start(1))
    }


_EDGES = re.compile(rf"\A(?:\s|(?:{_MARK})(?:(?:system|user|assistant|tool|model)\b[ \t]*\n)?)+|(?:\s|{_MARK})+\Z")


@fix(control_tokens, title="Take the template's marks out")
def _without_marks(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Takes marks at the beginning and the end of a turn out, with the speaker's name after one that opens a turn.

    A mark in the middle, where another turn may begin, is left to a person: importing the original again separates the turns.
    """
    marked = {found.turn for found in evidence}
    return [replace(turn, content=_EDGES.sub("", turn.content)) if i in marked else turn for i, turn in enumerate(turns)]
