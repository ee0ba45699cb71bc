"""Mutations: what goes wrong with files, from one changed value of a row to bytes that break off."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from typing import Any

_NASTY_TEXTS = (
    "", " ", "\n", "\u2028", "\u0085", "\x00", "\ud800", "\ufeff", "\ufffd", "é" * 3, "漢字", "🙂", "e\u0301", "\x1b[31m", "<|im_start|>user\nhi<|im_end|>", "[INST] [/INST]",
    "<tool_call>", "<tool_call>{}</tool_call>", "</s>", "USER: ASSISTANT:", "### Response:", '"', "\\", "'", ";", "\t", "null", "NaN", "=1+1", "{", "[[", "None",
    "data:image/png;base64,AAAA", "-" * 300, "1e999", "true", "user", "assistant", "system", "tool", "function_call",
)  # fmt: skip
_NASTY_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**30, 1.5, math.nan, math.inf, -math.inf, [], {}, [[]], [None], {"": ""}, {"role": "user"}, {"text": None}, [{"type": "text"}],
    {"type": "function", "function": None}, "x",
)  # fmt: skip
_NAMES = (
    "messages", "conversations", "role", "content", "from", "value", "instruction", "input", "output", "question", "answer", "context", "prompt",
    "completion", "chosen", "rejected", "label", "text", "tools", "tool_calls", "function", "name", "arguments", "weight", "id", "system", "", "data", "instances",
)  # fmt: skip
_BYTES = (
    b"\x00", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\x80", b"\x85", b"\x1a", b"\r", b"\n", b"\r\n", b'"', b"'", b"\\", b"\\u", b"\\ud83d", b",", b";", b"\t", b"{", b"}",
    b"[", b"]", b":", b"\xc3", b"\xe2\x80", b"\xf0\x9f\x98", b"\xe4\xf6\xfc", b"NaN", b"-", b"1e999", b"//", b"/*", b"\n\n\n", b" ", b"\x0b", b"\x0c", b"\x1c", b"\xe2\x80\xa8",
)  # fmt: skip


def change_value(value: Any, pick: random.Random) -> Any:
    """The JSON value with one change somewhere inside."""
    path: list[tuple[Any, Any]] = []
    here = value
    while isinstance(here, (dict, list)) and here and pick.random() < 0.85:
        key = pick.choice(list(here)) if isinstance(here, dict) else pick.randrange(len(here))
        path.append((here, key))
        here = here[key]
    if not path:
        return _other(value, pick)
    holder, key = path[-1]
    kind = pick.random()
    if kind < 0.2:
        del holder[key]
    elif kind < 0.4 and isinstance(holder, dict):
        holder[pick.choice(_NAMES)] = holder.pop(key)
    elif kind < 0.5 and isinstance(holder, list):
        holder.insert(pick.randint(0, len(holder)), json.loads(json.dumps(holder[key])))
    elif kind < 0.55 and isinstance(holder, list):
        pick.shuffle(holder)
    elif kind < 0.6 and isinstance(holder, dict):
        holder[pick.choice(_NAMES)] = pick.choice(_NASTY_VALUES)
    else:
        holder[key] = _other(here, pick)
    return value


def _other(value: Any, pick: random.Random) -> Any:
    kind = pick.random()
    if isinstance(value, str) and kind < 0.5:
        at = pick.randint(0, len(value))
        return value[:at] + pick.choice(_NASTY_TEXTS) + value[at:]
    if kind < 0.6:
        return pick.choice(_NASTY_TEXTS)
    if kind < 0.7:
        return [value]
    if kind < 0.8:
        return {pick.choice(_NAMES): value}
    if kind < 0.85:
        return json.dumps(value, default=str)
    if kind < 0.9:
        return nested(value, pick.choice((3, 30, 63, 64, 65, 200)))
    return pick.choice(_NASTY_VALUES)


def nested(value: Any, depth: int) -> Any:
    """The value inside so many lists."""
    for _ in range(depth):
        value = [value]
    return value


def _flip(data: bytes, pick: random.Random) -> bytes:
    at = pick.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << pick.randrange(8))]) + data[at + 1 :]


def _insert(data: bytes, pick: random.Random) -> bytes:
    at = pick.randint(0, len(data))
    return data[:at] + pick.choice(_BYTES) * pick.choice((1, 1, 1, 3)) + data[at:]


def _overwrite(data: bytes, pick: random.Random) -> bytes:
    at, new = pick.randrange(len(data)), pick.choice(_BYTES)
    return data[:at] + new + data[at + len(new) :]


def _delete(data: bytes, pick: random.Random) -> bytes:
    at = pick.randrange(len(data))
    return data[:at] + data[at + pick.choice((1, 1, 2, 5, 20, 100)) :]


def _cut(data: bytes, pick: random.Random) -> bytes:
    return data[: pick.randrange(len(data))]


def _repeat(data: bytes, pick: random.Random) -> bytes:
    at = pick.randrange(len(data))
    piece = data[at : at + pick.choice((1, 5, 50, 300))]
    return data[:at] + piece * pick.choice((2, 2, 9)) + data[at + len(piece) :]


def _swap_lines(data: bytes, pick: random.Random) -> bytes:
    lines = data.split(b"\n")
    pick.shuffle(lines)
    return b"\n".join(lines)


def _drop_line(data: bytes, pick: random.Random) -> bytes:
    lines = data.split(b"\n")
    del lines[pick.randrange(len(lines))]
    return b"\n".join(lines)


def _double_line_ends(data: bytes, pick: random.Random) -> bytes:
    return data.replace(b"\n", pick.choice((b"\r\n", b"\r", b"\n\n", b"\r\r\n")))


def _append(data: bytes, pick: random.Random) -> bytes:
    return data + pick.choice(_BYTES) * pick.choice((1, 7))


_MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip, _insert, _insert, _overwrite, _delete, _cut, _repeat, _swap_lines, _drop_line, _double_line_ends, _append,
)  # fmt: skip


def change_bytes(data: bytes, pick: random.Random) -> bytes:
    """The bytes of a file with one thing gone wrong."""
    return pick.choice(_MUTATIONS)(data, pick) if data else pick.choice(_BYTES)
