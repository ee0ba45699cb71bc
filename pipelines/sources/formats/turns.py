"""Turns: the conversations of the OpenAI and ShareGPT worlds as messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipelines.records import Message
from pipelines.sources.formats.format import Columns, Row, Unfit, optional_text
from pipelines.sources.formats.tools import calls_in_text, calls_of
from pipelines.sources.rows import kind_of
from pipelines.sources.strict_json import BadJson, parse_json

ROLE_BY_OPENAI_NAME = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "tool": "tool",
    "function": "tool",
}
"""Roles of turns with `role` and `content`. Any other is kept as found, so that a check names it."""
ROLE_BY_SHAREGPT_NAME = ROLE_BY_OPENAI_NAME | {
    "prompter": "user",
    "chatgpt": "assistant",
    "bot": "assistant",
    "chatbot": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "bard": "assistant",
    "bing": "assistant",
    "claude": "assistant",
    "function_call": "assistant",
    "tool_call": "assistant",
    "function_response": "tool",
    "tool_response": "tool",
    "observation": "tool",
}
"""Roles of turns with `from` and `value`, where every exporter has its own words."""
_CALLS = {"function_call", "tool_call"}
_OWN_KEYS = {"role", "from", "content", "value", "name", "tool_calls", "tool_call_id", "function_call"}
TEXT_PARTS = {"text", "input_text", "output_text"}
"""Types of content parts that are text. They are joined without anything between them, as chat templates do."""


Extra = dict[str, Any]
"""What a turn says beside the conversation (a weight, a rating, its reasoning), with the turn's number from 1."""


def turns_of(value: Any, column: str, extras: list[Extra]) -> tuple[Message, ...]:
    """The messages of a list of turns (or of the JSON text of one). Raises Unfit. What has no place in a message is added to `extras`."""
    turns = value
    if isinstance(turns, str):
        try:
            turns = parse_json(turns)
        except BadJson as error:
            raise Unfit(f'The column "{column}" is a text, not a list of turns, and not JSON either. {error}') from None
    if isinstance(turns, dict):
        turns = _transposed(turns)
    if not isinstance(turns, list):
        raise Unfit(f'The column "{column}" holds {kind_of(turns)}, not a list of turns.')
    if not turns:
        raise Unfit(f'The column "{column}" is an empty list: there are no turns.')
    return tuple([_message(turn, number, column, extras) for number, turn in enumerate(turns, 1)])


def is_list_of(value: Any, key: str) -> bool:
    """Whether a value is a list of turns that have a key, as far as its first turn tells."""
    if isinstance(value, str) and value.lstrip().startswith(("[", "{")):
        try:
            value = parse_json(value)
        except BadJson:
            return False
    if isinstance(value, dict):
        return isinstance(value.get(key), list) or (key in value and not isinstance(value[key], (list, dict)))
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and key in value[0]


def _transposed(turns: Mapping[str, Any]) -> Any:
    """The list of turns that `datasets` stores as an object of lists; a turn alone as a list of one."""
    columns = list(turns.values())
    if columns and all(isinstance(column, list) for column in columns):
        lengths = {len(column) for column in columns}
        if len(lengths) == 1:
            return [dict(zip(turns, cells, strict=True)) for cells in zip(*columns, strict=True)]
    return [turns]


def _message(turn: Any, number: int, column: str, extras: list[Extra]) -> Message:
    if type(turn) is not dict:
        raise Unfit(f'Turn {number} of "{column}" is {kind_of(turn)}, not an object with a role and a content.')
    found = turn.get("role")
    roles = ROLE_BY_OPENAI_NAME
    if found is None and "from" in turn:
        found, roles = turn["from"], ROLE_BY_SHAREGPT_NAME
    if type(found) is not str or not found.strip():
        have = ", ".join(turn) or "nothing"
        raise Unfit(f'Turn {number} of "{column}" has no role (it has {have}). Say who speaks: system, user, assistant or tool.')
    role = roles.get(found)
    if role is None:
        role = roles.get(found.strip().lower(), found)
    content = turn.get("content")
    if len(turn) == 2 and type(content) is str:  # the usual turn, and most of the time of an import
        return Message(role, content)
    if content is None:
        content = turn.get("value")
    said = {key: part for key, part in turn.items() if key not in _OWN_KEYS and part is not None}
    if said:
        extras.append({"turn": number, **said})
    if roles is ROLE_BY_SHAREGPT_NAME and found.strip().lower() in _CALLS:
        called = content if isinstance(content, (dict, list)) else content_text(content, number, column)
        return Message(role, "", tool_calls=calls_in_text(called))
    calls = calls_of(turn, f'turn {number} of "{column}"')
    if content is None and calls is None and not {"content", "value"} & turn.keys() and said:
        raise Unfit(f'Turn {number} of "{column}" has no content (it has {", ".join(turn)}).')
    text = content if type(content) is str else content_text(content, number, column)
    return Message(role, text, _optional(turn, "name"), calls, _optional(turn, "tool_call_id"))


def _optional(turn: Mapping[str, Any], key: str) -> str | None:
    value = turn.get(key)
    return value if value is None or isinstance(value, str) else json.dumps(value)


def content_text(content: Any, number: int, column: str) -> str:
    """The text of a turn's content: null is empty, typed parts are joined. Raises Unfit for pictures, numbers and the like."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise Unfit(f'The content of turn {number} of "{column}" is {kind_of(content)}, not a text.')
    texts = []
    for part in content:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict) and isinstance(part.get("text"), str) and part.get("type", "text") in TEXT_PARTS:
            texts.append(part["text"])
        else:
            what = part.get("type", "part without a type") if isinstance(part, dict) else kind_of(part)
            raise Unfit(f'Turn {number} of "{column}" holds a part that is not text ({what}). Only text can be trained: take it out.')
    return "".join(texts)


def with_system(row: Row, columns: Columns, messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The messages behind the system prompt of its own column, if the row has one that the messages do not begin with."""
    system = optional_text(row, columns, "system")
    if not system.strip() or (messages and messages[0].role == "system" and messages[0].content == system):
        return messages
    return (Message("system", system), *messages)


def said_beside(extras: list[Extra]) -> dict[str, Any]:
    """The meta of a record whose turns say more than a message holds."""
    return {"turn_extras": extras} if extras else {}
