"""JSON document: a list of rows, an object of rows keyed by id, an object that wraps a list of rows, or one row."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from pipelines.sources.encoding import Encoding
from pipelines.sources.json_cursor import JsonCursor, Piece
from pipelines.sources.rows import MAX_ROW_BYTES, TOO_LONG, RawRow, Rejection, kind_of, text_problem

KEY_COLUMN = "id"
"""Where the key of an object of rows goes; `key` when a row has an id of its own."""
SPLIT_COLUMN = "split"
_ABOUT_THE_FILE = {
    "version",
    "license",
    "licence",
    "name",
    "title",
    "description",
    "date",
    "created",
    "author",
    "url",
    "language",
    "lang",
    "format",
}
_NAMED = 5
_SPLITS = {"train", "training", "test", "testing", "validation", "valid", "val", "dev", "eval", "evaluation"}
_LISTS_INSIDE_A_ROW = {
    "tools", "functions", "instances", "positive examples", "negative examples", "completions", "responses", "candidates", "generations",
    "context", "contexts", "retrieved_contexts", "passages", "documents", "paragraphs", "history", "answers", "qas",
}  # fmt: skip


def read_json_document(text: io.TextIOWrapper, file: str, encoding: Encoding, notes: list[str]) -> Iterator[RawRow | Rejection]:
    """The rows of a document, numbered from 1 in the order of the text. Adds a sentence to `notes` when the text breaks off."""
    document = _Document(JsonCursor(text, encoding), file, notes)
    while mark := document.cursor.peek():
        if mark == "[":
            yield from document.list_rows()
        elif mark == "{":
            yield from document.object_rows()
        else:
            yield document.row_of(document.cursor.value())


class _Document:
    """Counts the rows of one file while they are read."""

    def __init__(self, cursor: JsonCursor, file: str, notes: list[str]) -> None:
        self.cursor = cursor
        self.file = file
        self.notes = notes
        self.row = 0

    def row_of(self, piece: Piece, **columns: str) -> RawRow | Rejection:
        """The next row, with columns that stand outside it."""
        self.row += 1
        if piece.problem:
            return Rejection(self.file, self.row, piece.problem, piece.raw)
        if type(piece.value) is not dict:
            problem = f'It is {kind_of(piece.value)}, not an object in braces. Write each row as {{"column": value}}.'
            return Rejection(self.file, self.row, problem, piece.raw)
        for name, value in columns.items():
            free = name if name not in piece.value else "key" if name == KEY_COLUMN else None
            if free and free not in piece.value:
                piece.value[free] = value
        return RawRow(self.file, self.row, piece.value, piece.raw or None)

    def list_rows(self, **columns: str) -> Iterator[RawRow | Rejection]:
        """The rows of the list at the cursor. A comma too many does no harm, nor does a missing one behind an object."""
        self.cursor.skip()
        while (mark := self.cursor.peek()) != "]":
            if mark == "":
                self.notes.append("its list is not closed: the file may have been cut off")
                return
            if mark == ",":
                self.cursor.skip()
            else:
                yield self.row_of(self.cursor.value(), **columns)
        self.cursor.skip()

    def object_rows(self) -> Iterator[RawRow | Rejection]:
        """The rows of the object at the cursor; what kind of object it is shows in its first members."""
        header = _Header()
        is_keyed = has_rows = False
        for key in self._keys():
            if isinstance(key, Rejection):
                yield key
                continue
            mark = self.cursor.peek()
            if mark == "[" and (has_rows or not header.is_row) and self._holds_rows(key):
                has_rows = True
                yield from self.list_rows(**({SPLIT_COLUMN: key} if key.lower() in _SPLITS else {}))
                continue
            piece = self.cursor.value(is_member=True)
            if not is_keyed and not has_rows and header.is_one_object and (piece.problem or type(piece.value) is dict):
                is_keyed = True
                yield from self._keyed(header)
            if is_keyed:
                yield self.row_of(piece, **{KEY_COLUMN: key})
            else:
                header.add(key, piece)
        if has_rows:
            yield from self._beside(header)
        elif not is_keyed:
            yield from self._keyed(header) if header.is_one_object else self._single(header)

    def _beside(self, header: _Header) -> Iterator[Rejection | RawRow]:
        """What stands beside the lists of rows: broken parts are rows set aside, the others are named in the notes."""
        yield from (self.row_of(piece) for _, piece in header.members if piece.problem)
        names = [f"“{key}”" for key, piece in header.members if piece.value and _may_be_a_row(key, piece.value)]
        if names:
            more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
            self.notes.append(f"not read as rows: {', '.join(names[:_NAMED])}{more}, beside the lists of rows")

    def _keys(self) -> Iterator[str | Rejection]:
        """The keys of the object at the cursor, which stands on the value when a key is given out."""
        self.cursor.skip()
        while (mark := self.cursor.peek()) != "}":
            if mark == ",":
                self.cursor.skip()
                continue
            key = self.cursor.key() if mark else None
            if not self.cursor.peek():
                self.notes.append("its object is not closed: the file may have been cut off")
                return
            if key is None:
                self.row += 1
                piece = self.cursor.value()
                yield Rejection(self.file, self.row, "A key in double quotes and a colon must stand here.", piece.raw)
            elif problem := text_problem(key):
                self.row += 1
                piece = self.cursor.value(is_member=True)
                yield Rejection(self.file, self.row, f"Its key cannot be kept. {problem}", f"{json.dumps(key)}: {piece.raw}")
            else:
                yield key
        self.cursor.skip()

    def _holds_rows(self, key: str) -> bool:
        first = self.cursor.first_element()
        is_turn = isinstance(first, dict) and ("role" in first or "from" in first)
        return isinstance(first, dict) and not is_turn and key.lower() not in _LISTS_INSIDE_A_ROW

    def _keyed(self, header: _Header) -> Iterator[RawRow | Rejection]:
        (key, piece) = header.members[0]
        if type(piece.value) is dict and len(piece.value) > 1 and all(type(value) is dict for value in piece.value.values()):
            for inner, value in piece.value.items():
                yield self.row_of(Piece(value, ""), **{KEY_COLUMN: inner})
        else:
            yield self.row_of(piece, **{KEY_COLUMN: key})

    def _single(self, header: _Header) -> Iterator[RawRow | Rejection]:
        problem = next((piece.problem for _, piece in header.members if piece.problem), None)
        raw = "{" + ", ".join(f'"{key}": {piece.raw}' for key, piece in header.members) + "}"
        names = [key for key, _ in header.members]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            problem = f'The key "{twice}" stands twice in one object. Keep one of the two.'
        if header.size > MAX_ROW_BYTES:
            yield self.row_of(Piece(None, raw, TOO_LONG))
        elif header.members:
            yield self.row_of(Piece({key: piece.value for key, piece in header.members}, raw, problem))


class _Header:
    """The members of an object before it is clear what it is."""

    def __init__(self) -> None:
        self.members: list[tuple[str, Piece]] = []
        self.size = 0

    def add(self, key: str, piece: Piece) -> None:
        """Keeps a member, unless all together are longer than a row may be."""
        self.size += len(key) + len(piece.raw)
        if self.size <= MAX_ROW_BYTES:
            self.members.append((key, piece))

    @property
    def is_one_object(self) -> bool:
        """Whether it holds one member so far, an object: perhaps the first of many rows keyed by id."""
        return len(self.members) == 1 and type(self.members[0][1].value) is dict

    @property
    def is_row(self) -> bool:
        """Whether it holds a list of turns, so that it is a row itself."""
        return any(type(piece.value) is list and piece.value and _is_turn(piece.value[0]) for _, piece in self.members)


def _may_be_a_row(key: str, value: Any) -> bool:
    """Whether what stands beside the rows could be meant to be learned; a version or a licence is not."""
    return isinstance(value, (dict, list)) or (isinstance(value, str) and key.lower() not in _ABOUT_THE_FILE)


def _is_turn(value: Any) -> bool:
    return isinstance(value, dict) and ("role" in value or "from" in value)
