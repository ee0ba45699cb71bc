"""Export format: how a record is written for other tools to read. The inverse of the import formats of the same names."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipelines.records import ROLES, Message, Record


class Inexpressible(Exception):
    """Says in a few words why a format has no way to write a record."""


_SHAREGPT_ROLES = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}


def openai_row(record: Record) -> dict[str, Any]:
    """Chat messages as the OpenAI interface and TRL read them. A preference pair has prompt, chosen and rejected."""
    tools = {} if record.tools is None else {"tools": json.loads(record.tools)}
    if record.kind == "preference":
        sides = {"prompt": record.messages, "chosen": record.chosen, "rejected": record.rejected}
        return {name: [_openai_turn(m) for m in turns] for name, turns in sides.items()} | tools
    label = {"label": record.label} if record.kind == "unpaired" else {}
    return {"messages": [_openai_turn(m) for m in record.messages]} | tools | label


def _openai_turn(message: Message) -> dict[str, Any]:
    _require_role(message)
    turn = message.to_json()
    if message.tool_calls is not None:
        turn["tool_calls"] = json.loads(message.tool_calls)
    return turn


def sharegpt_row(record: Record) -> dict[str, Any]:
    """Conversations of from and value; calls of tools are turns of their own, and tools a JSON text, as LLaMA-Factory reads them."""
    row: dict[str, Any] = {"conversations": [_sharegpt_turn(m) for m in record.messages]}
    if record.kind == "preference":
        for name, turns in (("chosen", record.chosen), ("rejected", record.rejected)):
            if len(turns) != 1:
                raise Inexpressible(f"the {name} side has {len(turns)} turns; the format has room for one")
            row[name] = _sharegpt_turn(turns[0])
    if record.kind == "unpaired":
        row["label"] = record.label
    if record.tools is not None:
        row["tools"] = json.dumps([_bare_tool(tool) for tool in json.loads(record.tools)], ensure_ascii=False)
    return row


def _sharegpt_turn(message: Message) -> dict[str, Any]:
    _require_role(message)
    extra = {k: v for k in ("name", "tool_call_id", "reasoning_content", "weight") if (v := getattr(message, k)) is not None}
    if message.tool_calls is None:
        return {"from": _SHAREGPT_ROLES[message.role], "value": message.content} | extra
    if message.content or message.role != "assistant":
        raise Inexpressible("a turn both says something and calls a tool")
    if extra:
        raise Inexpressible("a turn that calls a tool has a name, its reasoning or a weight")
    calls = [_bare_call(call) for call in json.loads(message.tool_calls)]
    return {"from": "function_call", "value": json.dumps(calls[0] if len(calls) == 1 else calls, ensure_ascii=False)}


def _bare_call(call: dict[str, Any]) -> dict[str, Any]:
    function = call.get("function")
    is_plain = call.get("type") == "function" and not call.keys() - {"type", "id", "function"}
    if not is_plain or not isinstance(function, dict) or function.keys() & {"id", "function", "type"}:
        return call
    bare = dict(function)
    if isinstance(bare.get("arguments"), str):
        bare["arguments"] = _arguments(bare["arguments"])
    return bare | ({"id": call["id"]} if "id" in call else {})


def _arguments(text: str) -> Any:
    """The arguments as an object, unless writing them again would give another text (and so another record id)."""
    try:
        arguments = json.loads(text)
    except json.JSONDecodeError:
        return text
    return arguments if isinstance(arguments, dict) and json.dumps(arguments, ensure_ascii=False) == text else text


def _bare_tool(tool: dict[str, Any]) -> dict[str, Any]:
    function = tool.get("function")
    is_plain = tool.keys() == {"type", "function"} and tool["type"] == "function"
    return function if is_plain and isinstance(function, dict) and "name" in function and "function" not in function else tool


def alpaca_row(record: Record) -> dict[str, Any]:
    """Instruction and output; the turns before are the history, as LLaMA-Factory reads it."""
    if record.tools is not None:
        raise Inexpressible("the row declares tools")
    system, turns = _spoken(record.messages)
    row: dict[str, Any] = {"system": system} if system is not None else {}
    if record.kind == "preference":
        sides = {name: _spoken(side)[1] for name, side in (("chosen", record.chosen), ("rejected", record.rejected))}
        if any([m.role for m in side] != ["assistant"] for side in sides.values()):
            raise Inexpressible("a side of the pair is not one answer")
        answers = {name: side[0].content for name, side in sides.items()}
    else:
        if not turns or turns[-1].role != "assistant":
            raise Inexpressible("the row does not end with an answer")
        answers = {"output": turns[-1].content}
        turns = turns[:-1]
    if [m.role for m in turns] != ["user", "assistant"] * (len(turns) // 2) + ["user"]:
        raise Inexpressible("user and assistant do not take turns")
    if record.kind != "chat" and len(turns) > 1:
        raise Inexpressible("a judged answer has a longer conversation before it")
    row |= {"instruction": turns[-1].content, "input": ""} | answers
    if record.kind == "unpaired":
        row["label"] = record.label
    if len(turns) > 1:
        row["history"] = [[turns[i].content, turns[i + 1].content] for i in range(0, len(turns) - 1, 2)]
    return row


OWN_COLUMNS = ("system", "prompt", "answer")


def csv_row(record: Record) -> dict[str, Any]:
    """One question and one answer, and the other columns of the source, for a spreadsheet."""
    row = alpaca_row(record)
    if record.kind != "chat" or "history" in row:
        raise Inexpressible("the row is more than one question and one answer")
    known = {"system": row.get("system", ""), "prompt": row["instruction"], "answer": row["output"]}
    return known | {column_name(name): _cell(value) for name, value in record.meta.items()}


def column_name(name: str) -> str:
    """The column of a table that another column of the source goes to: one named as ours gets a number, as columns of one name do."""
    return f"{name} (2)" if name in OWN_COLUMNS else name


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value


def _spoken(turns: Sequence[Message]) -> tuple[str | None, Sequence[Message]]:
    """The system prompt at the beginning, and the other turns. Raises Inexpressible where a turn is more than a role and a text."""
    for message in turns:
        _require_role(message)
        if message.role == "tool" or message.tool_calls is not None:
            raise Inexpressible("a tool is called")
        if message.name is not None or message.tool_call_id is not None:
            raise Inexpressible("a turn has a name")
        if message.reasoning_content is not None:
            raise Inexpressible("an answer has its reasoning apart")
        if message.weight is not None:
            raise Inexpressible("an answer is marked as not to be learned")
    if turns and turns[0].role == "system":
        return turns[0].content, turns[1:]
    return None, turns


def _require_role(message: Message) -> None:
    if message.role not in ROLES:
        raise Inexpressible(f'the role "{message.role}" is not one of {", ".join(ROLES)}')


ROW_FORMATS: Mapping[str, Callable[[Record], dict[str, Any]]] = {
    "openai": openai_row,
    "sharegpt": sharegpt_row,
    "alpaca": alpaca_row,
    "csv": csv_row,
}
"""The formats written row by row; `parquet` and `datasets` are written whole."""
