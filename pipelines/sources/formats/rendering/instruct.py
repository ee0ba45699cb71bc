"""Instruct renderings: questions stand between [INST] and [/INST], answers behind (Llama 2 and Mistral)."""

from __future__ import annotations

import json
import re
from typing import Any

from pipelines.records import Message
from pipelines.sources.formats.rendering.dialect import Dialect, Rendered, broken, excerpt, spoken
from pipelines.sources.strict_json import BadJson, parse_json

_NAME = "the [INST] form of Llama 2 and Mistral"
_MARKER = re.compile(
    r"\[(?P<close>/?)(?P<kind>INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS)\]|(?P<end></s>)(?:\s*<s>)?\s*|(?P<start><s>)\s*"
)
_SYSTEM = re.compile(r"\A\s*<<SYS>>\n?(?P<system>.*?)\n?<</SYS>>\s*", re.DOTALL)


def _recognises(text: str) -> bool:
    return text.lstrip().startswith(("[INST]", "[SYSTEM_PROMPT]", "[AVAILABLE_TOOLS]")) and "[/INST]" in text


def _read(text: str, may_end_open: bool) -> Rendered:
    messages: list[Message] = []
    tools: str | None = None
    opened: re.Match[str] | None = None
    at = 0
    for marker in _MARKER.finditer(text):
        if opened is not None and (marker["end"] or marker["start"]):
            raise broken(_NAME, f"[{opened['kind']}] is opened and not closed before the end token.")
        piece = text[at : marker.start()]
        at = marker.end()
        if opened is None:
            if marker["close"]:
                raise broken(_NAME, f"[/{marker['kind']}] closes what was not opened.")
            _add_answer(messages, piece, tools)
            opened = marker if marker["kind"] else None
            continue
        if not marker["close"] or marker["kind"] != opened["kind"]:
            raise broken(_NAME, f"[{opened['kind']}] is opened and not closed before [{marker['close']}{marker['kind']}].")
        if opened["kind"] == "AVAILABLE_TOOLS":
            tools = piece.strip()
        elif opened["kind"] == "SYSTEM_PROMPT":
            messages.append(Message("system", piece.strip()))
        elif opened["kind"] == "TOOL_RESULTS":
            messages.append(_result(piece.strip()))
        else:
            messages += _question(piece, is_first=not any(m.role == "user" for m in messages))
        opened = None
    if opened is not None:
        raise broken(_NAME, f"[{opened['kind']}] is opened and never closed.")
    _add_answer(messages, text[at:], tools)
    return Rendered(tuple(messages), tools)


def _add_answer(messages: list[Message], piece: str, tools: str | None) -> None:
    if not piece.strip():
        return
    if not messages or messages[-1].role == "system":
        raise broken(_NAME, f'a text stands before the first [INST]: "{excerpt(piece)}".')
    if messages[-1].role == "assistant":
        raise broken(_NAME, f'a text stands behind an answer that has ended: "{excerpt(piece)}".')
    messages.append(spoken("assistant", piece.strip()))


def _question(piece: str, *, is_first: bool) -> list[Message]:
    system = _SYSTEM.match(piece)
    asked = piece[system.end() :] if system else piece
    if "<<SYS>>" in asked or "<</SYS>>" in asked:
        raise broken(_NAME, "<<SYS>> and <</SYS>> do not match, or do not stand at the beginning of [INST].")
    if system and not is_first:
        raise broken(_NAME, "a system prompt stands in a later question.")
    named = system["system"].strip() if system else ""
    return [*([Message("system", named)] if named else []), Message("user", asked.strip())]


def _result(piece: str) -> Message:
    """What a tool answered: Mistral writes it as {"content", "call_id"}."""
    try:
        told: Any = parse_json(piece)
    except BadJson:
        return Message("tool", piece)
    if isinstance(told, list) and len(told) == 1:
        told = told[0]
    if not isinstance(told, dict) or "content" not in told:
        return Message("tool", piece)
    content = told["content"]
    call = told.get("call_id")
    said = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    return Message("tool", said, name=told.get("name"), tool_call_id=call if isinstance(call, str) else None)


INSTRUCT = Dialect(_NAME, _recognises, _read)
