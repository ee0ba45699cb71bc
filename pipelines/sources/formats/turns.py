"""Turns: the conversations of the OpenAI, Anthropic and ShareGPT worlds as messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipelines.records import Message
from pipelines.sources.formats.content import Content, read_content, result_text
from pipelines.sources.formats.format import Columns, Row, Unfit, optional_text
from pipelines.sources.formats.tools import calls_in_text, calls_of, paired
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
"""Roles of turns with `role` and `content`. Any other is kept as found, so that a check names it and the user can map it."""
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
"""Roles of turns with `from` and `value` and their like, where every exporter has its own words."""
ROLE_KEYS = ("role", "from", "speaker", "author", "sender")
"""Where a turn says who speaks, the most usual first."""
_CONTENT_KEYS = ("content", "value", "text", "message", "utterance", "parts")
_CALLS = {"function_call", "tool_call"}
_REASONING_KEYS = ("reasoning_content", "reasoning", "thinking")
_LEARNED_KEYS = ("weight", "train", "training", "loss")
_OWN_KEYS = {"name", "tool_calls", "tool_call_id", "function_call"}
"""Beside the two that say who speaks and what is said. A second one of those is kept as an extra: it may say something else."""


Extra = dict[str, Any]
"""What a turn says beside the conversation (a rating, a date), with the turn's number from 1."""


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
    messages: list[Message] = []
    unnamed: set[int] = set()
    for number, turn in enumerate(turns, 1):
        if type(turn) is dict and len(turn) == 2 and type(content := turn.get("content")) is str and type(found := turn.get("role")) is str:
            role = ROLE_BY_OPENAI_NAME.get(found) or ROLE_BY_OPENAI_NAME.get(found.strip().lower(), found)
            if role.strip():
                messages.append(Message(role, content))  # the usual turn, and most of the time of an import
                continue
        messages += _Turn(turn, number, column, extras).messages(len(messages), unnamed)
    return paired(messages, unnamed) if unnamed else tuple(messages)


def is_list_of(value: Any, *keys: str) -> bool:
    """Whether a value is a list of turns that have one of the keys, as far as its first turn tells."""
    if isinstance(value, str) and value.lstrip().startswith(("[", "{")):
        try:
            value = parse_json(value)
        except BadJson:
            return False
    if isinstance(value, dict):
        return any(key in value and not isinstance(value[key], dict) for key in keys)
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and any(key in value[0] for key in keys)


def _transposed(turns: Mapping[str, Any]) -> Any:
    """The list of turns that `datasets` stores as an object of lists; a turn alone as a list of one."""
    columns = list(turns.values())
    if columns and all(isinstance(column, list) for column in columns):
        lengths = {len(column) for column in columns}
        if len(lengths) == 1:
            return [dict(zip(turns, cells, strict=True)) for cells in zip(*columns, strict=True)]
    return [turns]


class _Turn:
    """One turn of a source: who speaks and what is said, under whatever names."""

    def __init__(self, turn: Any, number: int, column: str, extras: list[Extra]) -> None:
        if type(turn) is not dict:
            raise Unfit(f'Turn {number} of "{column}" is {kind_of(turn)}, not an object with a role and a content.')
        self.turn, self.number, self.extras = turn, number, extras
        self.where = f'turn {number} of "{column}"'
        self.role_key = next((key for key in ROLE_KEYS if turn.get(key) is not None), None)
        self.found = self._speaker()
        self.content_key = next((key for key in _CONTENT_KEYS if turn.get(key) is not None), None)
        self.used = _OWN_KEYS | {key for key in (self.role_key, self.content_key) if key}

    def _speaker(self) -> str:
        found = self.turn.get(self.role_key) if self.role_key else None
        if isinstance(found, dict):  # ChatGPT's own export has the author as an object
            if any(key in found for key in _CONTENT_KEYS):
                raise Unfit(f'{self.where[0].upper()}{self.where[1:]} has a whole turn where the speaker should stand ("{self.role_key}").')
            found = found.get("role", found.get("name"))
        if type(found) is not str or not found.strip():
            have = ", ".join(self.turn) or "nothing"
            start = self.where[0].upper() + self.where[1:]
            raise Unfit(f"{start} has no role (it has {have}). Say who speaks: system, user, assistant or tool.")
        return found

    @property
    def role(self) -> str:
        """One of ROLES, or the name as found."""
        roles = ROLE_BY_OPENAI_NAME if self.role_key == "role" else ROLE_BY_SHAREGPT_NAME
        return roles.get(self.found) or roles.get(self.found.strip().lower(), self.found)

    def messages(self, before: int, unnamed: set[int]) -> list[Message]:
        """What the turn becomes: one message, but for results of tools that stand inside a user's turn.

        `before` is how many messages come before; the places of calls without an id, in the dialects that have none, go to `unnamed`.
        """
        turn, role = self.turn, self.role
        written = turn[self.content_key] if self.content_key else None
        if self.role_key != "role" and self.found.strip().lower() in _CALLS:
            self._keep_extras(set())
            unnamed.add(before)
            called = written if isinstance(written, (dict, list)) else read_content(written, self.where).text
            return [Message(role, "", tool_calls=calls_in_text(called), weight=self._weight(role))]
        calls = calls_of(turn, self.where)
        said = (
            Content(result_text(written, self.where))
            if role == "tool" and not isinstance(written, str)
            else read_content(written, self.where)
        )
        reasoning = [turn[key] for key in _REASONING_KEYS if isinstance(turn.get(key), str)][:1] + said.reasoning
        used = {key for key in _REASONING_KEYS if isinstance(turn.get(key), str)}
        if written is None and isinstance(turn.get("refusal"), str):
            said.text = turn["refusal"]
            used.add("refusal")
        weight = self._weight(role)
        extras = self._keep_extras(used, said.hidden)
        if written is None and calls is None and not {"content", "value"} & turn.keys() and not used and extras:
            raise Unfit(f"{self.where[0].upper()}{self.where[1:]} has no content (it has {', '.join(turn)}).")
        if said.calls:
            calls = calls_in_text(said.calls)
        elif calls is not None and "tool_calls" not in turn:
            unnamed.add(before)
        thought = "\n\n".join(reasoning) or None
        main = Message(role, said.text, _optional(turn, "name"), calls, _optional(turn, "tool_call_id"), thought, weight)
        results = [Message("tool", text, tool_call_id=call) for call, text in said.results]
        if not results:
            return [main]
        if not (main.content.strip() or main.tool_calls or thought):
            return results
        return [*results, main] if said.results_come_first else [main, *results]

    def _weight(self, role: str) -> int | None:
        """0 for an answer that is not to be learned. Raises Unfit for a weight between: only all or nothing can be trained."""
        for key in _LEARNED_KEYS:
            value = self.turn.get(key)
            if value is None or (key == "loss" and type(value) is not bool):  # a number there is a loss that somebody measured
                continue
            if role != "assistant":
                if not value:  # what is not an answer is never learned
                    self.used.add(key)
                continue
            if value not in (0, 1):
                said = f'"{value}"' if isinstance(value, str) else json.dumps(value)
                raise Unfit(f"The {key} of {self.where} is {said}. Write 1 for an answer to be learned, 0 for one that is only read.")
            self.used.add(key)
            if not value:
                return 0
        return None

    def _keep_extras(self, used: set[str], hidden: list[Mapping[str, Any]] | None = None) -> bool:
        said = {key: part for key, part in self.turn.items() if key not in self.used and key not in used and part is not None}
        if hidden:
            said["hidden_parts"] = hidden
        if said:
            self.extras.append({"turn": self.number, **said})
        return bool(said)


def _optional(turn: Mapping[str, Any], key: str) -> str | None:
    value = turn.get(key)
    return value if value is None or isinstance(value, str) else json.dumps(value)


def with_system(row: Row, columns: Columns, messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The messages behind the system prompt of its own column, if the row has one that the messages do not begin with."""
    column = columns.get("system")
    if column is not None and isinstance(row[column], list):  # Anthropic writes it as parts too
        system = read_content(row[column], f'the column "{column}"').text
    else:
        system = optional_text(row, columns, "system")
    if not system.strip() or (messages and messages[0].role == "system" and messages[0].content == system):
        return messages
    return (Message("system", system), *messages)


def said_beside(extras: list[Extra]) -> dict[str, Any]:
    """The meta of a record whose turns say more than a message holds."""
    return {"turn_extras": extras} if extras else {}
