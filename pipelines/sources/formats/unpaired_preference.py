"""Unpaired preference format (KTO): one answer and whether it was wanted."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from pipelines.records import Record
from pipelines.sources.formats.alpaca import INSTRUCTION_COLUMNS
from pipelines.sources.formats.format import Columns, Format, Row, Unfit, need_one, plain_name
from pipelines.sources.formats.openai import MESSAGE_COLUMNS, SYSTEM_COLUMNS, TOOL_COLUMNS, conversation
from pipelines.sources.formats.prompt_completion import COMPLETION_COLUMNS, asked_and_answered
from pipelines.sources.formats.tools import tools_of
from pipelines.sources.formats.turns import Extra, said_beside, with_system
from pipelines.sources.rows import kind_of

_TELLING = dict.fromkeys(("true", "desirable", "thumbs up", "👍"), True) | dict.fromkeys(
    ("false", "undesirable", "thumbs down", "👎"), False
)
"""Labels that can mean nothing else."""
_WANTED = {
    *("1", "1.0", "+1", "yes", "y", "t", "good", "positive", "up", "like", "liked", "upvote"),
    *("accepted", "accept", "chosen", "wanted", "desired"),
}
_UNWANTED = {
    *("0", "0.0", "-1", "-1.0", "no", "n", "bad", "negative", "down", "dislike", "disliked", "downvote"),
    *("rejected", "reject", "unwanted", "undesired", "not desirable", "f"),
}
"""Labels that mean it where the user says that they are judgements, or the column's name does."""
_TELLING_COLUMNS = {"kto_tag", "desirable", "is_desirable", "thumbs", "thumbs_up", "thumb"}
_SPACES = re.compile(r"[\s_-]+")
_TONES = re.compile("[\ufe0f\U0001f3fb-\U0001f3ff]")
"""Variation selectors and skin tones behind a thumb."""


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        plain = _TONES.sub("", value.strip().lower())
        return plain if plain.lstrip("+-").replace(".", "", 1).isdigit() else _SPACES.sub(" ", plain)
    return value


def _label(row: Row, columns: Columns) -> bool:
    value = _plain(row[columns["label"]])
    if type(value) is bool:
        return value
    plain = str(value)
    if plain in _TELLING:
        return _TELLING[plain]
    if plain in _WANTED or plain in _UNWANTED:
        return plain in _WANTED
    said = f'"{value}"' if isinstance(value, str) else kind_of(value)
    raise Unfit(f'The column "{columns["label"]}" is {said}, not true or false.')


def _convert(row: Row, columns: Columns) -> Record:
    label = _label(row, columns)
    if "messages" in columns and row[columns["messages"]] is not None:
        return replace(conversation(row, columns), kind="unpaired", label=label)
    if "prompt" not in columns or "completion" not in columns:
        raise Unfit(f'The column "{columns["messages"]}" is null.')
    need_one(row, columns, "prompt", "completion")
    extras: list[Extra] = []
    asked, answered = asked_and_answered(row, columns, extras)
    turns = with_system(row, columns, asked + answered)
    return Record(turns, "unpaired", tools_of(row, columns), label=label, meta=said_beside(extras))


def _fits(row: Row, columns: Columns) -> bool:
    """A label of 0 and 1 may as well be a class: only true, desirable and the like speak for themselves, or the name of the column."""
    value = _plain(row[columns["label"]])
    return type(value) is bool or (isinstance(value, str) and value in _TELLING) or plain_name(columns["label"]) in _TELLING_COLUMNS


UNPAIRED_PREFERENCE = Format(
    name="unpaired_preference",
    fields={
        "messages": MESSAGE_COLUMNS,
        "prompt": ("prompt", *INSTRUCTION_COLUMNS, "question", "query", "input"),
        "input": ("input",),
        "completion": COMPLETION_COLUMNS,
        "label": ("kto_tag", "desirable", "is_desirable", "label", "labels", "thumbs", "thumbs_up", "thumb", "feedback", "judgement"),
        "system": SYSTEM_COLUMNS,
        "tools": TOOL_COLUMNS,
    },
    needs=(("messages", "label"), ("prompt", "completion", "label")),
    convert=_convert,
    fits=_fits,
)
