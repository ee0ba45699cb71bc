"""Record: one training example in canonical form. Standard library only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["chat", "preference", "unpaired"]
ROLES = ("system", "user", "assistant", "tool")


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: str
    """One of ROLES after import; kept as found when the source holds an unknown role, so that a check can name it."""
    content: str
    name: str | None = None
    tool_calls: str | None = None
    """Canonical JSON array of OpenAI-style calls, or None."""
    tool_call_id: str | None = None
    reasoning_content: str | None = None
    """What the assistant thought before it answered, under the name that chat templates read; None when it is not told apart."""
    weight: int | None = None
    """0 for an answer that is read and not learned. None otherwise: 1 is what every answer has, so it is not written down."""

    def to_json(self) -> dict[str, Any]:
        """The turn as a JSON object without absent keys."""
        optional = {name: value for name in OPTIONAL_FIELDS if (value := getattr(self, name)) is not None}
        return {"role": self.role, "content": self.content} | optional

    @classmethod
    def from_json(cls, turn: Mapping[str, Any]) -> Message:
        """The inverse of to_json; absent and null keys are the same."""
        return cls(turn["role"], turn["content"], **{name: turn.get(name) for name in OPTIONAL_FIELDS})


OPTIONAL_FIELDS = ("name", "tool_calls", "tool_call_id", "reasoning_content", "weight")
"""Fields of a Message that most turns do not have. An absent one is not part of a record's id, so that a new one changes no old id."""


@dataclass(frozen=True, slots=True)
class Record:
    """One training example. Two records with the same `id` train the same tokens."""

    messages: tuple[Message, ...]
    """The conversation. A preference pair holds the shared prompt here."""
    kind: Kind = "chat"
    tools: str | None = None
    """Canonical JSON array of tool declarations, or None."""
    chosen: tuple[Message, ...] = ()
    rejected: tuple[Message, ...] = ()
    label: bool | None = None
    """Unpaired preference (KTO): whether the answer was wanted."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """What else the source said about the row. Outside the id."""

    @property
    def id(self) -> str:
        """Hexadecimal blake2b-128 of all that the trainer will see."""
        return content_hash(self.content())

    def content(self) -> dict[str, Any]:
        """The part of the record that is hashed into `id`."""
        content: dict[str, Any] = {"kind": self.kind, "messages": [m.to_json() for m in self.messages]}
        if self.tools is not None:
            content["tools"] = self.tools
        if self.kind == "preference":
            content["chosen"] = [m.to_json() for m in self.chosen]
            content["rejected"] = [m.to_json() for m in self.rejected]
        if self.kind == "unpaired":
            content["label"] = self.label
        return content

    @property
    def conversation(self) -> tuple[Message, ...]:
        """All the turns a supervised trainer sees: for a preference pair, the prompt and the chosen answer."""
        return self.messages + self.chosen

    @property
    def system(self) -> str:
        """The system prompt, or an empty string."""
        return "\n".join(m.content for m in self.messages if m.role == "system")

    @property
    def prompt(self) -> str:
        """The turns before the final answer, without the system prompt, one per paragraph."""
        turns = self.conversation
        last = _last_assistant(turns)
        before = turns if last is None else turns[:last]
        return "\n\n".join(m.content for m in before if m.role != "system")

    @property
    def answer(self) -> str:
        """The last assistant turn (for a preference pair, of the chosen side), or an empty string."""
        turns = self.conversation
        last = _last_assistant(turns)
        return "" if last is None else turns[last].content


def _last_assistant(turns: tuple[Message, ...]) -> int | None:
    return next((i for i in range(len(turns) - 1, -1, -1) if turns[i].role == "assistant"), None)


def messages_from_json(turns: Iterable[Mapping[str, Any]]) -> tuple[Message, ...]:
    """Messages from their JSON form, in order."""
    return tuple(Message.from_json(turn) for turn in turns)


def canonical_json(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, non-ASCII kept. Raises ValueError on NaN or infinity."""
    return _CANONICAL.encode(value)


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def content_hash(value: Any) -> str:
    """Hexadecimal blake2b-128 of the canonical JSON of a value (RFC 7693; 32 characters)."""
    return hashlib.blake2b(canonical_json(value).encode("utf-8"), digest_size=16).hexdigest()
