"""Content: what one turn holds, when it is written as typed parts (OpenAI chat and responses, Anthropic, Gemini)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.sources.formats.format import Unfit
from pipelines.sources.rows import kind_of

TEXT_TYPES = {"text", "input_text", "output_text", "summary_text", "refusal"}
"""Types of parts that are text. They are joined without anything between them, as chat templates do."""
REASONING_TYPES = {"thinking", "reasoning"}
_CALL_TYPES = {"tool_use", "server_tool_use", "function_call"}
_RESULT_TYPES = {"tool_result", "function_call_output"}
_NOT_TEXT = {
    "image": "a picture",
    "image_url": "a picture",
    "input_image": "a picture",
    "audio": "sound",
    "input_audio": "sound",
    "output_audio": "sound",
    "video": "a film",
    "video_url": "a film",
    "file": "a file",
    "input_file": "a file",
    "document": "a file",
}


@dataclass(slots=True)
class Content:
    """What a turn says, in the order of its parts."""

    text: str = ""
    reasoning: list[str] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    """Calls of tools as {"id", "name", "arguments"}."""
    results: list[tuple[str | None, str]] = field(default_factory=list)
    """What tools answered, as (id of the call, text)."""
    results_come_first: bool = True
    """Whether the results stand before the text."""
    hidden: list[Mapping[str, Any]] = field(default_factory=list)
    """Parts that only their maker can read (encrypted reasoning)."""


def read_content(content: Any, where: str) -> Content:
    """The content of the turn at `where`. Null is empty. Raises Unfit for pictures, numbers and the like."""
    if content is None:
        return Content()
    if isinstance(content, str):
        return Content(content)
    if isinstance(content, dict) and isinstance(content.get("parts"), list):  # ChatGPT's own export
        content = content["parts"]
    elif isinstance(content, dict) and "type" in content:
        content = [content]
    if not isinstance(content, list):
        raise Unfit(f"The content of {where} is {kind_of(content)}, not a text.")
    read = Content()
    for part in content:
        _add(read, part, where)
    return read


def _add(read: Content, part: Any, where: str) -> None:
    if isinstance(part, str):
        read.text += part
        return
    kind = _type_of(part, where)
    if kind in TEXT_TYPES:
        text = part.get("refusal" if kind == "refusal" else "text")
        if not isinstance(text, str):
            raise _not_text(where, part.get("type") or "part without a type")
        read.text += text
    elif kind in REASONING_TYPES:
        read.reasoning.append(_reasoning(part, where))
    elif kind == "redacted_thinking":
        read.hidden.append(part)
    elif kind in _CALL_TYPES:
        arguments = part.get("input", part.get("arguments", {}))
        read.calls.append({"id": part.get("call_id") or part.get("id"), "name": part.get("name"), "arguments": arguments})
    elif kind in _RESULT_TYPES:
        if read.text.strip() and not read.results:
            read.results_come_first = False
        read.results.append((_id(part), result_text(part.get("content", part.get("output")), where)))
    else:
        raise _not_text(where, _NOT_TEXT.get(kind, kind), kind)


def _type_of(part: Any, where: str) -> str:
    if not isinstance(part, dict):
        raise _not_text(where, kind_of(part))
    kind = part.get("type") or "text"
    if not isinstance(kind, str):
        raise _not_text(where, f"its type is {kind_of(kind)}")
    return kind


def _id(part: Mapping[str, Any]) -> str | None:
    found = part.get("tool_use_id", part.get("call_id"))
    return found if found is None or isinstance(found, str) else json.dumps(found)


def _reasoning(part: Mapping[str, Any], where: str) -> str:
    for key in ("thinking", "reasoning", "text", "summary", "content"):
        found = part.get(key)
        if isinstance(found, str):
            return found
        if isinstance(found, list):
            return "\n\n".join(read_content([each], where).text for each in found)
    raise Unfit(f"The reasoning of {where} holds no text (it has {', '.join(part)}).")


def result_text(answered: Any, where: str) -> str:
    """What a tool answered as text: objects, numbers and lists of them as JSON. Raises Unfit for pictures."""
    if answered is None or isinstance(answered, str):
        return answered or ""
    if isinstance(answered, list) and any(isinstance(part, dict) and "type" in part for part in answered):
        return read_content(answered, where).text
    return json.dumps(answered, ensure_ascii=False)


def _not_text(where: str, what: str, kind: str = "") -> Unfit:
    said = f"{what}, {kind}" if kind and what != kind else what
    return Unfit(f"{where[0].upper()}{where[1:]} holds a part that is not text ({said}). Only text can be trained: take it out.")
