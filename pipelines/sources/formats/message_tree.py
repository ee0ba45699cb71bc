"""Message tree format: a first question with replies, each with replies of its own (OpenAssistant); each way through it is one row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.sources.formats.format import Columns, Format, Row, Unfit
from pipelines.sources.formats.openai import OPENAI
from pipelines.sources.rows import MAX_DEPTH

_ROLES = {"prompter": "user", "user": "user", "human": "user", "assistant": "assistant"}
Node = dict[str, Any]


def turn_of(message: Node, where: str) -> dict[str, str]:
    """The turn of one message of a tree. Raises Unfit."""
    text, role = message.get("text", message.get("content")), message.get("role")
    if not isinstance(text, str) or not isinstance(role, str):
        raise Unfit(f"{where} has no role or no text (it has {', '.join(message) or 'nothing'}).")
    return {"role": _ROLES.get(role, role), "content": text}


def is_answer(role: Any) -> bool:
    """Whether a message answers. One with a role that is not known may: it is kept, and the check of roles points at it."""
    return not isinstance(role, str) or _ROLES.get(role) != "user"


def ends_here(role: Any, answered_below: bool, is_root: bool) -> bool:
    """Whether a conversation ends with a message: an answer behind which nobody answers any more, or a question that nobody answered."""
    return not answered_below and (is_answer(role) or is_root)


def _expand(row: Row, columns: Columns) -> list[dict[str, Any]]:
    around = {name: value for name, value in row.items() if name != columns["prompt"]}
    root = row[columns["prompt"]]
    if not isinstance(root, dict):
        raise Unfit(f'The column "{columns["prompt"]}" is not an object with a text and replies.')
    return [{**around, "messages": turns} for turns in _ways(root, [])]


def _ways(node: Node, before: list[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    if len(before) >= MAX_DEPTH:
        raise Unfit(f"Its replies are nested deeper than {MAX_DEPTH} levels. Flatten it.")
    turns = [*before, turn_of(node, f"Message {len(before) + 1} of a way through the tree")]
    answered = False
    for reply in _replies(node):
        ways = list(_ways(reply, turns))
        answered = answered or bool(ways)
        yield from ways
    if ends_here(turns[-1]["role"], answered, not before):
        yield turns


def _replies(node: Node) -> list[Node]:
    """The messages below one. Raises Unfit when they are none, or stand under another name."""
    other = next((name for name, found in node.items() if name != "replies" and _are_messages(found)), None)
    if other is not None:
        raise Unfit(f'A message has messages below it in "{other}", where "replies" is expected. Rename it.')
    replies = node.get("replies") or []
    if not isinstance(replies, list) or not all(isinstance(reply, dict) for reply in replies):
        raise Unfit("The replies of a message are not a list of messages. Write each as an object with a role and a text.")
    return replies


def _are_messages(found: Any) -> bool:
    return isinstance(found, list) and bool(found) and all(isinstance(one, dict) and "role" in one for one in found)


def _fits(row: Row, columns: Columns) -> bool:
    root = row[columns["prompt"]]
    return isinstance(root, dict) and "replies" in root and "text" in root


MESSAGE_TREE = Format(
    name="message_tree",
    fields={"prompt": ("prompt",)},
    needs=(("prompt",),),
    convert=OPENAI.convert,
    fits=_fits,
    expand=_expand,
    inner=OPENAI,
)
