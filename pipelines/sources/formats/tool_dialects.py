"""Tool dialects: calls and declarations of tools that are written inside the text of a turn, taken out of it.

Hermes and Qwen write <tool_call> tags, Mistral [TOOL_CALLS], Llama <|python_tag|> or plain JSON, Glaive <functioncall>. Chat templates
want all of them in one form, and write the tags of their own model themselves.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pipelines.records import Message, Record
from pipelines.sources.formats.format import Unfit
from pipelines.sources.formats.tools import calls_in_text, paired, tools_from
from pipelines.sources.rows import value_problem

_MARKERS = ("<tool_call>", "<functioncall>", "[TOOL_CALLS]", "<|python_tag|>", "<function=")
_MOST_MARKERS = 200
_LONGEST_TEXT = 1_000_000
"""A text with more of them, or longer, was never meant as calls: it is let be, so that no row can keep the search busy for minutes."""
_CALLED = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)
_MISTRAL_NAMED = re.compile(r"([\w.-]+)(?:\[CALL_ID\](\w+))?\s*(?:\[ARGS\])?\s*(\{.*?\})\s*(?=\[TOOL_CALLS\]|\Z)", re.DOTALL)
_BUILT_IN = re.compile(r"([\w.]+)\.call\((\w+)=(\".*\"|'.*')\)\Z", re.DOTALL)
_FUNCTION = re.compile(r"<function=([\w.-]+)>(.*?)</function>", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=([\w.-]+)>\n?(.*?)\n?</parameter>", re.DOTALL)
_RESPONSE = re.compile(r"<tool_response>(.*?)</tool_response>", re.DOTALL)
_ENDS = ("<|endoftext|>", "</functioncall>", "<|eom_id|>", "<|eot_id|>")

_TOOLS_TAG = re.compile(r"<tools>\s*(?P<tools>[\[{].*?)</tools>", re.DOTALL)
_FRAMES = (
    re.compile(r"(?:\n\n)?# Tools\n\nYou may call one or more functions .*?<tools>\s*(?P<tools>[\[{].*?)</tools>.*\Z", re.DOTALL),
    re.compile(
        r"(?:\n\n)?You are a function calling AI model\..*?<tools>\s*(?P<tools>[\[{].*?)</tools>.*</tool_call>\s*\Z",
        re.DOTALL,
    ),
    re.compile(r"(?:\n\n)?You can call these tools:\n<tools>\s*(?P<tools>[\[{].*?)</tools>\nTo call one, .*</tool_call>\Z", re.DOTALL),
    re.compile(r" with access to the following functions\. Use them if required -\s*(?P<tools>[\[{].*)\Z", re.DOTALL),
)
"""How system prompts frame tools: Qwen, Hermes, Winnow's own ChatML, Glaive. Chat templates write such a frame themselves, so it is
taken out together with the tools; any other wording is left as it stands."""

Call = dict[str, Any]


def with_tools_apart(record: Record) -> Record:
    """The record with the calls, results and declarations of tools in their own places. What cannot be read as one stays as it is."""
    tools, messages = record.tools, list(record.messages)
    if tools is None and messages and messages[0].role == "system":
        tools, messages[0] = _declared(messages[0])
        if not messages[0].content.strip() and tools is not None:
            messages.pop(0)
    names = _names(tools)
    parts = [_with_calls(part, names) for part in (messages, record.chosen, record.rejected)]
    if [tools, *parts] == [record.tools, record.messages, record.chosen, record.rejected]:
        return record
    return replace(record, tools=tools, messages=parts[0], chosen=parts[1], rejected=parts[2])


def _with_calls(turns: Sequence[Message], names: frozenset[str]) -> tuple[Message, ...]:
    found: list[Message] = []
    unnamed: set[int] = set()
    for turn in turns:
        if turn.role == "assistant" and turn.tool_calls is None and (read := _calls(turn.content, names)):
            content, calls = read
            unnamed.add(len(found))
            found.append(replace(turn, content=content, tool_calls=calls_in_text(calls)))
        elif turn.role in ("user", "tool") and (results := _results(turn.content)):
            found += [replace(turn, role="tool", content=text) for text in results]
        else:
            found.append(turn)
    return paired(found, unnamed) if unnamed else tuple(found)


def _calls(text: str, names: frozenset[str]) -> tuple[str, list[Call]] | None:
    """The text before the calls and the calls; None when there is none, or one that cannot be read."""
    for marker in _MARKERS:
        if marker in text and _is_sane(text, marker) and (read := _READERS[marker](text)):
            return read
    if names and text.lstrip().startswith(("{", "[")):
        calls = _call_list(_value(text))
        if calls and all(call["name"] in names and ("arguments" in call or "parameters" in call) for call in calls):
            return "", calls
    return None


def _is_sane(text: str, marker: str) -> bool:
    return len(text) <= _LONGEST_TEXT and text.count(marker) <= _MOST_MARKERS


def _results(text: str) -> list[str]:
    """What tools answered, of a text that holds nothing but their answers in tags."""
    if "<tool_response>" not in text or not _is_sane(text, "<tool_response>") or _RESPONSE.sub("", text).strip():
        return []
    return [result.strip() for result in _RESPONSE.findall(text)]


def _tagged(text: str) -> tuple[str, list[Call]] | None:
    calls: list[Call] = []
    written = _CALLED.findall(text)
    for inside in written:
        calls += _call_list(_value(inside)) or _functions(inside)
    outside = _CALLED.sub("", text)
    if not calls or len(calls) < len(written) or "<tool_call>" in outside:
        return None
    return outside.strip(), calls


def _functions(text: str) -> list[Call]:
    """Calls as <function=name> with JSON or <parameter=…> inside (Llama 3.1, Qwen3-Coder)."""
    calls = []
    for name, written in _FUNCTION.findall(text):
        inside = written.strip()
        parameters = _PARAMETER.findall(inside)
        arguments = {key: _plain(value) for key, value in parameters} if parameters else _value(inside or "{}")
        if not isinstance(arguments, dict):
            return []
        calls.append({"name": name, "arguments": arguments})
    return calls


def _plain(text: str) -> Any:
    value = _value(text)
    return text if value is None or isinstance(value, str) else value


def _function_tags(text: str) -> tuple[str, list[Call]] | None:
    calls = _functions(text)
    return (_FUNCTION.sub("", text).replace("<|eom_id|>", "").strip(), calls) if calls else None


def _behind(text: str, marker: str) -> tuple[str, str]:
    """What stands before a marker and what behind, without the token that ends the turn."""
    before, _, behind = text.partition(marker)
    behind = behind.strip()
    for end in _ENDS:
        behind = behind.removesuffix(end).rstrip()
    return before.strip(), behind


def _glaive(text: str) -> tuple[str, list[Call]] | None:
    before, written = _behind(text, "<functioncall>")
    calls = _call_list(_value(written, quotes_arguments=True)) if written.startswith("{") else []
    return (before, calls) if calls else None


def _mistral(text: str) -> tuple[str, list[Call]] | None:
    before, written = _behind(text, "[TOOL_CALLS]")
    calls = _call_list(_value(written))
    if calls:
        return before, calls
    for name, id, arguments in _MISTRAL_NAMED.findall(written):
        value = _value(arguments)
        if not isinstance(value, dict):
            return None
        calls.append({"name": name, "arguments": value} | ({"id": id} if id else {}))
    return (before, calls) if calls else None


def _python_tag(text: str) -> tuple[str, list[Call]] | None:
    before, written = _behind(text, "<|python_tag|>")
    pieces = [_call_list(_value(piece)) for piece in written.split("; ")] if written.startswith("{") else []
    if pieces and all(pieces):
        return before, [call for calls in pieces for call in calls]
    calls = _call_list(_value(written))
    if calls:
        return before, calls
    built_in = _BUILT_IN.match(written)
    return (before, [{"name": built_in[1], "arguments": {built_in[2]: _value(built_in[3])}}]) if built_in else None


_READERS: dict[str, Callable[[str], tuple[str, list[Call]] | None]] = {
    "<tool_call>": _tagged,
    "<functioncall>": _glaive,
    "[TOOL_CALLS]": _mistral,
    "<|python_tag|>": _python_tag,
    "<function=": _function_tags,
}


def _value(text: str, *, quotes_arguments: bool = False) -> Any:
    """The value of a JSON text, or of a Python literal, which some sets hold instead; None when it is neither, or cannot be stored.

    `quotes_arguments`: Glaive writes JSON whose arguments stand in single quotes.
    """
    value = _read_value(text, quotes_arguments=quotes_arguments)
    return value if value_problem(value) is None else None


def _read_value(text: str, *, quotes_arguments: bool) -> Any:
    if quotes_arguments:
        text = re.sub(r"\"arguments\"\s*:\s*'(.*)'\s*\}\s*\Z", lambda found: f'"arguments": {found[1] or "{}"}}}', text, flags=re.DOTALL)
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        pass
    if len(text) > 100_000:
        return None
    try:
        value = ast.literal_eval(text)
        json.dumps(value, allow_nan=False)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return value


def _call_list(value: Any) -> list[Call]:
    """The calls of a value, if it is one call or a list of them."""
    calls = value if isinstance(value, list) else [value]
    if not calls or not all(isinstance(call, dict) for call in calls):
        return []
    calls = [call["function"] | {"id": call.get("id")} if isinstance(call.get("function"), dict) else call for call in calls]
    return calls if all(isinstance(call.get("name"), str) and call["name"] for call in calls) else []


def _names(tools: str | None) -> frozenset[str]:
    declared = json.loads(tools) if tools else []
    functions = [tool.get("function", tool) for tool in declared if isinstance(tool, dict)]
    return frozenset(f["name"] for f in functions if isinstance(f, dict) and isinstance(f.get("name"), str))


def _declared(system: Message) -> tuple[str | None, Message]:
    """The tools that a system prompt declares, and the prompt without them where it is known how it frames them."""
    text = system.content
    if ("<tools>" not in text and "functions" not in text) or not _is_sane(text, "<tools>"):
        return None, system
    for frame in _FRAMES:
        found = frame.search(text)
        tools = _tool_list(found["tools"]) if found else None
        if found and tools:
            rest = text[: found.start()] + ("." if frame is _FRAMES[-1] else "")
            return tools, replace(system, content=rest)
    found = _TOOLS_TAG.search(text)
    tools = _tool_list(found["tools"]) if found else None
    if tools:
        return tools, system
    return None, system


def _tool_list(text: str) -> str | None:
    """Declarations as a JSON list, or one object behind the other."""
    text = text.strip()
    value = _value(text)
    if value is None:
        decoder, value, at = json.JSONDecoder(strict=False), [], 0
        try:
            while at < len(text):
                one, at = decoder.raw_decode(text, at)
                value.append(one)
                while at < len(text) and text[at].isspace():
                    at += 1
        except (ValueError, RecursionError):
            return None
        if value_problem(value) is not None:
            return None
    try:
        return tools_from(value, "the system prompt")
    except Unfit:
        return None
