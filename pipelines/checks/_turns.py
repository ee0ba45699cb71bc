"""Turns: what the checks share to look at turns as columns, and to collect where something was found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.checks import Batch, Evidence, Measurements
from pipelines.checks._utf8 import Utf8, utf8
from pipelines.records import ROLES

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

SYSTEM, USER, ASSISTANT, TOOL = range(4)
UNKNOWN = -1
SIGNS, OTHER = "@[({<&#`~:", "é"
"""Characters that say cheaply where a pattern cannot match; the second stands for every character beyond ASCII."""
_NOT_ASCII = 1 << len(SIGNS)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn that a prefilter let through."""

    record: int
    """Index in the batch."""
    turn: int
    role: str
    content: str


class Findings:
    """What a check found, record by record; the value of a record is the sum of its findings."""

    def __init__(self, records: int) -> None:
        self._values = [0.0] * records
        self._evidence: dict[int, list[Evidence]] = {}

    def add(self, record: int, evidence: Evidence, *, value: float = 1.0) -> None:
        """One more finding in a record."""
        self._values[record] += value
        self._evidence.setdefault(record, []).append(evidence)

    def measurements(self) -> Measurements:
        """A value for every record: 0 where nothing was found."""
        evidence: list[Sequence[Evidence]] = [()] * len(self._values)
        for record, spots in self._evidence.items():
            evidence[record] = spots
        return Measurements(self._values, evidence)


def turns_with(batch: Batch, pattern: str, *, roles: Sequence[str] | None = None, having: str = "", digits: int = 0) -> Iterator[Turn]:
    """The turns whose content matches an RE2 pattern, in order. Of letters and spaces, RE2's escapes know the ASCII ones only.

    `having` and `digits` only save time: any text that matches holds one of these characters (see SIGNS), or so many digits.
    """
    import pyarrow.compute as pc

    turns = turns_of(batch, roles)
    if having or digits:
        turns = turns.filter(_may_match(turns, having, digits))
    yield from turns_where(turns, pc.match_substring_regex(turns.column("content"), pattern))


def turns_where(turns: pa.Table, mask: pa.ChunkedArray | pa.Array) -> Iterator[Turn]:
    """The rows of `turns_of` that a mask keeps, in order."""
    found = turns.select(["record", "turn", "role", "content"]).filter(mask)
    yield from map(Turn, *(values(column) for column in found.columns))


def turns_of(batch: Batch, roles: Sequence[str] | None = None) -> pa.Table:
    """The turns of some roles or of all: `record`, `turn`, `role`, `content`, and `signs` for `_may_match`. Shared by the checks."""
    if roles is None:
        return batch.shared("turns with signs", lambda: _with_signs(batch))
    return batch.shared(("turns of", *roles), lambda: _of_roles(turns_of(batch), roles))


def _of_roles(turns: pa.Table, roles: Sequence[str]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    return turns.filter(pc.is_in(turns.column("role"), value_set=pa.array(roles, pa.string())))


def _with_signs(batch: Batch) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    from pipelines.features.kernels import byte_signs

    turns = batch.turns.select(["record", "turn", "role", "content"])
    text = content_bytes(batch)
    bits = np.zeros(256, np.uint16)
    for bit, sign in enumerate(SIGNS):
        bits[ord(sign)] = 1 << bit
    bits[0x80:] = _NOT_ASCII
    signs = np.empty(len(turns), np.uint32)
    byte_signs(text.letters, text.starts, text.stops, bits, signs)
    return turns.append_column("signs", pa.array(signs))


def _may_match(turns: pa.Table, having: str, digits: int) -> pa.Array:
    """Which turns hold one of these characters, and so many digits. OTHER stands for all characters beyond ASCII."""
    import numpy as np
    import pyarrow as pa

    signs = turns.column("signs").to_numpy()
    wanted = sum(_NOT_ASCII if sign == OTHER else 1 << SIGNS.index(sign) for sign in having)
    may = (signs >> 16) >= digits
    return pa.array(may & ((signs & np.uint32(wanted)) != 0) if wanted else may)


def content_bytes(batch: Batch) -> Utf8:
    """The contents of all turns as bytes."""
    return batch.shared("content bytes", lambda: utf8(batch.turns.column("content")))


def values(column: pa.ChunkedArray) -> list[Any]:
    """The values of a column without nulls, or of texts with; several times faster than Arrow's own way to a list."""
    return column.to_numpy().tolist()


def records_with(batch: Batch, column: str, pattern: str, records: Iterable[int]) -> set[int]:
    """Those of some records whose system prompt, prompt or answer matches an RE2 pattern."""
    import pyarrow as pa
    import pyarrow.compute as pc

    some = sorted(set(records))
    matches = pc.match_substring_regex(batch.column(column).take(pa.array(some, pa.int64())), pattern)
    return {record for record, matched in zip(some, matches.to_pylist(), strict=True) if matched}


def matches_at(first: re.Pattern[str], pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """`pattern.finditer(text)` for a pattern that matches only where `first` finds its first character, in a fraction of its time.

    Python tries a pattern without a common beginning in full at every character. Matches of the pattern must not be empty.
    """
    reached = 0
    for start in first.finditer(text):
        if start.start() >= reached and (match := pattern.match(text, start.start())):
            reached = match.end()
            yield match


def spans(pattern: str, text: str) -> Iterator[tuple[int, int]]:
    """Where an RE2 pattern matches, in code points: its first group, where it has one, or all of it. Empty matches are left out."""
    import re2

    for match in re2.finditer(pattern, text):
        group = 1 if match.re.groups and match.start(1) >= 0 else 0
        if match.end(group) > match.start(group):
            yield match.span(group)


def count_spans(
    batch: Batch, pattern: str, *, trigger: str | None = None, roles: Sequence[str] | None = None, note: str = ""
) -> Measurements:
    """How often a pattern occurs in each record, with its spans.

    `trigger` is an RE2 pattern found wherever `pattern` matches; it is needed when `pattern` uses what RE2 lacks or sees otherwise.
    """
    spans = re.compile(pattern)
    found = Findings(len(batch))
    for turn in turns_with(batch, trigger or pattern, roles=roles):
        for match in spans.finditer(turn.content):
            found.add(turn.record, Evidence(turn.turn, match.start(), match.end(), note=note))
    return found.measurements()


@dataclass(frozen=True, slots=True)
class Flow:
    """The order of the turns as arrays, one entry per turn."""

    record: np.ndarray
    turn: np.ndarray
    role: np.ndarray
    """SYSTEM, USER, ASSISTANT, TOOL or UNKNOWN."""
    calls: np.ndarray
    """Whether the turn calls a tool."""
    first: np.ndarray
    last: np.ndarray

    def before(self, values: np.ndarray, missing: int) -> np.ndarray:
        """For each turn, the value of the turn before it in the same record."""
        import numpy as np

        return np.where(self.first, missing, np.roll(values, 1))

    def after(self, values: np.ndarray, missing: int) -> np.ndarray:
        """For each turn, the value of the turn after it in the same record."""
        import numpy as np

        return np.where(self.last, missing, np.roll(values, -1))


def flow(batch: Batch) -> Flow:
    """The order of turns in the records of a batch. Shared by the checks."""
    return batch.shared("flow", lambda: _flow(batch))


def _flow(batch: Batch) -> Flow:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    turns = batch.turns
    record = turns.column("record").to_numpy()
    edge = record[1:] != record[:-1]
    some = len(record) > 0
    role = pc.fill_null(pc.index_in(turns.column("role"), value_set=pa.array(ROLES)), UNKNOWN)
    return Flow(
        record=record,
        turn=turns.column("turn").to_numpy(),
        role=role.to_numpy(),
        calls=pc.is_valid(turns.column("tool_calls")).to_numpy(),
        first=np.r_[True, edge] if some else np.zeros(0, bool),
        last=np.r_[edge, True] if some else np.zeros(0, bool),
    )


def answer_turns(messages: pa.ChunkedArray, chosen: pa.ChunkedArray) -> np.ndarray:
    """int64, one per record: position of the last assistant turn in the conversation, -1 where there is none."""
    import numpy as np

    lengths, last = _last_assistant(messages)
    chosen_lengths, chosen_last = _last_assistant(chosen)
    return np.where((chosen_lengths > 0) & (chosen_last >= 0), lengths + chosen_last, last)


def _last_assistant(lists: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Per record: number of turns, and the position of the last assistant turn or -1. Contents are not copied."""
    import numpy as np
    import pyarrow.compute as pc

    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    last = np.full(len(lists), -1, np.int64)
    start = 0
    for chunk in lists.chunks:
        size = pc.fill_null(pc.list_value_length(chunk), 0).to_numpy(zero_copy_only=False).astype(np.int64)
        is_assistant = pc.equal(pc.struct_field(pc.list_flatten(chunk), "role"), "assistant")
        hits = np.flatnonzero(pc.fill_null(is_assistant, False).to_numpy(zero_copy_only=False))
        first_turn = np.cumsum(size) - size
        of = np.repeat(np.arange(len(chunk)), size)[hits]
        np.maximum.at(last, start + of, hits - first_turn[of])
        start += len(chunk)
    return lengths, last
