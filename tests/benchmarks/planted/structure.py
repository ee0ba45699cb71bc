"""Defects of the order and the fields of turns, and of tool calls."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace

from pipelines.records import Message, Record
from tests.benchmarks.planted.rows import Plant, answer_of, with_text


def in_turns(change: Callable[[list[Message], random.Random], list[Message] | None]) -> Plant:
    def plant(record: Record, choose: random.Random) -> Record | None:
        changed = change(list(record.messages), choose)
        return None if changed is None else replace(record, messages=tuple(changed))

    return plant


def emptied(turns: list[Message], choose: random.Random) -> list[Message]:
    at = choose.choice([i for i, m in enumerate(turns) if m.role in ("user", "assistant")])
    turns[at] = replace(turns[at], content=choose.choice(("", " ", "\n\n", "\u200b", "\u00a0")))
    return turns


def out_of_order(turns: list[Message], choose: random.Random) -> list[Message]:
    return choose.choice(
        (
            [*turns, Message("assistant", "One more thing: good luck.")],
            [Message("assistant", "Hello, how can I help?"), *turns],
            [turns[0], Message("user", "Are you there?"), *turns[1:]],
            [*turns, Message("system", "Be brief."), Message("user", "Thanks."), Message("assistant", "You are welcome.")],
        )
    )


def with_control_tokens(record: Record, choose: random.Random) -> Record | None:
    mark = choose.choice(
        (
            "<|im_end|>",
            "<|im_start|>assistant",
            "[INST]",
            "[/INST]",
            "</s>",
            "<|eot_id|>",
            "<|endoftext|>",
            "### Response:",
            "<start_of_turn>",
        )
    )
    said = choose.choice((f"{answer_of(record)}{mark}", f"{answer_of(record)}\n{mark}\n", f"{mark} {answer_of(record)}"))
    return with_text(record, "assistant", said)


def same_pair(record: Record, choose: random.Random) -> Record | None:
    return replace(record, rejected=record.chosen) if record.chosen and record.rejected else None


def in_calls(change: Callable[[dict], object]) -> Plant:
    """The arguments of a call, changed."""

    def plant(record: Record, choose: random.Random) -> Record | None:
        calling = [i for i, m in enumerate(record.messages) if m.tool_calls]
        if not calling or not record.tools:
            return None
        turns = list(record.messages)
        at = choose.choice(calling)
        calls = json.loads(turns[at].tool_calls or "[]")
        function = calls[0]["function"]
        arguments = function["arguments"]
        known = json.loads(arguments) if isinstance(arguments, str) else arguments
        changed = change(known) if known else None
        if changed is None:
            return None
        function["arguments"] = changed if isinstance(changed, str) else json.dumps(changed)
        turns[at] = replace(turns[at], tool_calls=json.dumps(calls))
        return replace(record, messages=tuple(turns))

    return plant


def unanswered(turns: list[Message], choose: random.Random) -> list[Message] | None:
    results = [i for i, m in enumerate(turns) if m.role == "tool" and i + 1 < len(turns)]
    return None if not results else [m for i, m in enumerate(turns) if i != choose.choice(results)]


def one_of(*plants: Plant) -> Plant:
    def plant(record: Record, choose: random.Random) -> Record | None:
        for one in choose.sample(plants, len(plants)):
            if (made := one(record, choose)) is not None:
                return made
        return None

    return plant


def wrong_arguments() -> Plant:
    return one_of(
        in_calls(lambda known: json.dumps(known)[:-1]),
        in_calls(lambda known: dict(list(known.items())[1:])),
        in_calls(lambda known: {f"{name}_": value for name, value in known.items()}),
        in_calls(lambda known: [known]),
    )
