"""Tools: the calls and declarations of tools, in the one form that chat templates know."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from pipelines.records import Message, canonical_json
from pipelines.sources.formats.format import Columns, Row, Unfit
from pipelines.sources.rows import kind_of
from pipelines.sources.strict_json import BadJson, parse_json


def calls_of(turn: Mapping[str, Any], where: str) -> str | None:
    """The calls of an OpenAI turn (also in its old `function_call`) as a canonical JSON array, or None. Raises Unfit."""
    found = turn.get("tool_calls") or turn.get("function_call")
    if isinstance(found, str):
        try:
            found = parse_json(found)
        except BadJson as error:
            raise Unfit(f"The tool_calls of {where} are a text that is not JSON. {error}") from None
    if not found:
        return None
    calls = found if isinstance(found, list) else [found]
    wrong = [call for call in calls if not isinstance(call, dict)]
    if wrong:
        raise Unfit(f"A tool call of {where} is {kind_of(wrong[0])}, not an object with a name and arguments.")
    return canonical_json([_call(call) for call in calls])


def calls_in_text(called: Any) -> str:
    """The calls that a ShareGPT function_call turn holds. A text that is no JSON stays as the arguments of a call without a name."""
    try:
        calls = parse_json(called) if isinstance(called, str) else called
    except BadJson:
        calls = None
    if isinstance(calls, dict):
        calls = [calls]
    if not isinstance(calls, list) or not calls or not all(isinstance(call, dict) for call in calls):
        calls = [{"name": "", "arguments": called}]
    return canonical_json([_call(call) for call in calls])


def paired(messages: Sequence[Message], unnamed: Set[int]) -> tuple[Message, ...]:
    """The messages with an id in each call that has none and is answered right behind, and the same id in its answer.

    Only calls of the messages at the places in `unnamed` are touched. Ids have nine characters, which some chat templates demand.
    """
    found, named = list(messages), 0
    for place in sorted(unnamed):
        calls = json.loads(found[place].tool_calls or "[]")
        answers = _answers_behind(found, place)
        is_changed = False
        for call, answer in zip(calls, answers, strict=False):
            result = found[answer]
            if not call.get("id"):
                named += 1
                call["id"] = result.tool_call_id or f"call{named:05d}"
                is_changed = True
            if result.tool_call_id is None:
                found[answer] = replace(result, tool_call_id=call["id"])
        if is_changed:
            found[place] = replace(found[place], tool_calls=canonical_json(calls))
    return tuple(found)


def _answers_behind(messages: Sequence[Message], place: int) -> list[int]:
    end = place + 1
    while end < len(messages) and messages[end].role == "tool":
        end += 1
    return list(range(place + 1, end))


def _call(call: dict[str, Any]) -> dict[str, Any]:
    """One call as {"type": "function", "function": {"name", "arguments"}}; the arguments are JSON text, in the order found."""
    function = call.get("function")
    if function is not None and not isinstance(function, dict):
        return call
    around = ("id", "type", "index", "function")
    outside = {key: part for key, part in call.items() if part is not None and (key in around[:3] or function is not None)}
    inside = {key: part for key, part in (function or call).items() if part is not None and (function is not None or key not in around)}
    if "arguments" not in inside and isinstance(inside.get("parameters"), dict):  # Llama's word for them
        inside["arguments"] = inside.pop("parameters")
    if "arguments" in inside and not isinstance(inside["arguments"], str):
        inside["arguments"] = json.dumps(inside["arguments"], ensure_ascii=False)
    return {"type": "function", **outside, "function": inside}


def tools_of(row: Row, columns: Columns) -> str | None:
    """The tool declarations of a row as a canonical JSON array of {"type": "function", "function": {...}}, or None. Raises Unfit."""
    column = columns.get("tools")
    return tools_from(row[column], f'the column "{column}"') if column is not None else None


def tools_from(found: Any, where: str) -> str | None:
    """Tool declarations, or their JSON text, as a canonical JSON array; None when there are none. Raises Unfit."""
    if isinstance(found, str):
        try:
            found = parse_json(found) if found.strip() else None
        except BadJson as error:
            raise Unfit(f"{where[0].upper()}{where[1:]} is not a JSON list of tools. {error}") from None
    if not found:
        return None
    tools = found if isinstance(found, list) else [found]
    declared = []
    for tool in tools:
        if isinstance(tool, str):  # `datasets` has no type for any object, so some sets hold each tool as a text
            try:
                tool = parse_json(tool)
            except BadJson as error:
                raise Unfit(f"A tool in {where} is a text that is not JSON. {error}") from None
        if not isinstance(tool, dict):
            raise Unfit(f"A tool in {where} is {kind_of(tool)}, not an object with a name.")
        declared.append(_declaration(tool))
    return canonical_json(declared)


def _declaration(tool: dict[str, Any]) -> dict[str, Any]:
    if "function" in tool or "name" not in tool:
        return tool
    if "input_schema" in tool:  # Anthropic's word for the parameters
        tool = {key: part for key, part in tool.items() if key != "input_schema"} | {"parameters": tool["input_schema"]}
    if tool.get("type") == "function":  # OpenAI's responses interface writes it flat
        tool = {key: part for key, part in tool.items() if key != "type"}
    return {"type": "function", "function": tool}
