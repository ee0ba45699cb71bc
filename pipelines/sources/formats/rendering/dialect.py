"""Dialect: one way of writing a conversation as a single text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pipelines.records import Message
from pipelines.sources.formats.format import Unfit

_START = re.compile(r"\s*(?:(?:<s>|<bos>|<\|begin_of_text\|>|<\|startoftext\|>|<BOS_TOKEN>|\[gMASK\]<sop>|<\|endoftext\|>)\s*)*")
"""Start tokens, which the tokenizer of the model writes and the conversation does not hold."""
END_TOKENS = (
    "</s>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<eos>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|eot|>",
    "<end_of_turn>",
    "<turn|>",
    "<|END_OF_TURN_TOKEN|>",
    "<|end|>",
    "<｜end▁of▁sentence｜>",
)
"""What models write when they have finished."""
_THOUGHT = re.compile(r"\A\s*<think>(.*?)</think>\s*", re.DOTALL)
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a rendering holds."""

    messages: tuple[Message, ...]
    tools: str | None = None
    """The text that declares tools, where the dialect has a place of its own for it."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """A way of writing conversations."""

    name: str
    recognises: Callable[[str], bool]
    """Whether a text without its start token is clearly written so, balanced or not."""
    read: Callable[[str, bool], Rendered]
    """The turns of a text; the second argument says whether its last turn may be open. Raises Unfit."""
    is_loose: bool = False
    """Whether its markers are words that people also write, so that other signs decide too."""


def without_start(text: str) -> str:
    """A text behind its start tokens. The blank line before the first speaker of a transcript is no start token, and stays."""
    start = _START.match(text)
    bare = text[start.end() :] if start else text
    return bare if bare != text.lstrip() else text


def without_end(text: str) -> str:
    """A text before the end tokens at its end; unchanged without any."""
    rest = text.rstrip()
    while rest.endswith(END_TOKENS):
        token = next(token for token in END_TOKENS if rest.endswith(token))
        rest = rest.removesuffix(token).rstrip()
        text = rest
    return text


def spoken(role: str, content: str) -> Message:
    """A turn, with the thought of an answer told apart from what it says."""
    thought = _THOUGHT.match(content) if role == "assistant" else None
    if not thought:
        return Message(role, content)
    return Message(role, content[thought.end() :], reasoning_content=thought[1].strip() or None)


def excerpt(text: str) -> str:
    """The beginning of a text on one line, for a sentence."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"


def broken(dialect: str, what: str) -> Unfit:
    """The sentence for a rendering whose markers do not match."""
    return Unfit(f"It is a conversation written in {dialect}, and its markers do not match: {what}")
