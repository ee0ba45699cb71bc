"""Trees: conversations whose messages are rows of their own, each naming the one it replies to (OpenAssistant's flat files)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

from pipelines.sources.formats.format import Unfit
from pipelines.sources.formats.message_tree import ends_here, is_answer, turn_of
from pipelines.sources.locate import SourceFile
from pipelines.sources.read import FileRows
from pipelines.sources.rows import MAX_DEPTH, RawRow, Rejection, reject

_NEEDED = ("message_id", "parent_id", "role", "text")
_TREE = "message_tree_id"
_HEAD_ROWS = 5_000
"""How many messages a preview looks at."""


def are_messages(rows: Sequence[RawRow]) -> bool:
    """Whether rows are single messages of trees: most of them have an id, a parent, a role and a text."""
    return bool(rows) and 2 * sum(all(name in row.value for name in _NEEDED) for row in rows) > len(rows)


class TreeRows:
    """The conversations of a file of messages, as rows with `messages`; used like `FileRows`.

    Every message is in at least one conversation or is rejected. A conversation has the row number and the other columns of its last
    message. The file is read twice: first to count the messages of each tree, so that a tree is let go as soon as it is complete.
    """

    def __init__(self, rows: FileRows, *, head_only: bool = False) -> None:
        self.rows = rows
        self.head_only = head_only
        self.file: SourceFile = rows.file
        self.notes = rows.notes

    @property
    def bytes_done(self) -> int:
        """How far into the file on disk reading has come."""
        return self.rows.bytes_done

    def __iter__(self) -> Iterator[RawRow | Rejection]:
        rows: Iterable[RawRow | Rejection] = self._head() if self.head_only else self.rows
        left = Counter(_tree_of(row) for row in rows if isinstance(row, RawRow))
        waiting: dict[Any, list[RawRow]] = {}
        for row in rows:
            if isinstance(row, Rejection):
                yield row
                continue
            tree = _tree_of(row)
            waiting.setdefault(tree, []).append(row)
            left[tree] -= 1
            if left[tree] == 0:
                yield from _conversations(waiting.pop(tree))

    def _head(self) -> list[RawRow | Rejection]:
        """The first rows, for a preview: without the tree that they may cut."""
        with closing(iter(self.rows)) as found:  # type: ignore[type-var] # it is a generator
            head = list(islice(found, _HEAD_ROWS))
        if len(head) < _HEAD_ROWS:
            return head
        cut = next((_tree_of(row) for row in reversed(head) if isinstance(row, RawRow)), None)
        return [row for row in head if isinstance(row, Rejection) or _tree_of(row) != cut]


def _tree_of(row: RawRow) -> Any:
    tree = row.value.get(_TREE)
    return tree if isinstance(tree, (str, int)) else None


def _conversations(rows: list[RawRow]) -> Iterator[RawRow | Rejection]:
    by_id: dict[Any, RawRow] = {}
    for row in rows:
        key = row.value.get("message_id")
        if not isinstance(key, (str, int)):
            yield reject(row, "It has no message_id, so it cannot be put into a conversation.")
        elif key in by_id:
            yield reject(row, f'The message_id "{key}" stands twice in its tree. Keep one of the two.')
        else:
            by_id[key] = row
    yield from _ways(by_id)


def _ways(by_id: dict[Any, RawRow]) -> Iterator[RawRow | Rejection]:
    paths: dict[Any, list[RawRow]] = {}
    for key, row in by_id.items():
        path = _path(by_id, row)
        if isinstance(path, str):
            yield reject(row, path)
        else:
            paths[key] = path
    answered = {above.value["message_id"] for path in paths.values() if is_answer(path[-1].value.get("role")) for above in path[:-1]}
    for key, path in paths.items():
        last = path[-1]
        if ends_here(last.value.get("role"), key in answered, len(path) == 1):
            try:
                turns = [turn_of(row.value, f"The message in row {row.row}") for row in path]
            except Unfit as error:
                yield reject(last, str(error))
                continue
            beside = {name: value for name, value in last.value.items() if name not in ("text", "role", "parent_id")}
            yield RawRow(last.file, last.row, {**beside, "messages": turns}, None)


def _path(by_id: dict[Any, RawRow], row: RawRow) -> list[RawRow] | str:
    """The messages from the first to this one, or why there is no such way."""
    path = [row]
    while (parent := path[-1].value.get("parent_id")) is not None:
        above = by_id.get(parent) if isinstance(parent, (str, int)) else None
        if above is None:
            return f'It replies to the message "{parent}", which is not in the file.'
        if len(path) >= MAX_DEPTH:
            return f"It stands deeper than {MAX_DEPTH} replies, or its replies lead in a circle."
        path.append(above)
    return path[::-1]
