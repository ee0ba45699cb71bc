"""Row losses: how well each row was predicted each time it was trained. A row that stays hard deserves a second look."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

ROW_SCHEMA = pa.schema(
    [
        ("row", pa.string()),
        ("tokens", pa.int32()),
        ("trained_tokens", pa.int32()),
        ("losses", pa.list_(pa.float32())),
    ]
)
"""losses: mean loss per trained token, one per epoch, null where the row was not reached in that epoch."""


class RowLosses:
    """Losses by epoch and row number, filled while training and kept in checkpoints."""

    def __init__(self, stored: dict[str, dict[str, float]] | None = None) -> None:
        self.by_epoch: dict[int, dict[int, float]] = {int(e): {int(r): v for r, v in rows.items()} for e, rows in (stored or {}).items()}

    def note(self, epoch: int, rows: Iterable[int], losses: Iterable[float]) -> None:
        """Keeps the losses of the rows of one batch."""
        self.by_epoch.setdefault(epoch, {}).update(zip(rows, losses, strict=True))

    def to_json(self) -> dict[str, dict[str, float]]:
        """For a checkpoint; JSON knows only text as keys."""
        return {str(e): {str(r): v for r, v in rows.items()} for e, rows in self.by_epoch.items()}

    def merge(self, others: Iterable[dict[str, Any]]) -> RowLosses:
        """These losses with those of other processes, each in the form of `to_json`."""
        merged = RowLosses(self.to_json())
        for other in others:
            for epoch, rows in RowLosses(other).by_epoch.items():
                merged.by_epoch.setdefault(epoch, {}).update(rows)
        return merged

    def tokens_seen(self, tokens: list[int]) -> int:
        """Tokens that went through training, given the length of each row. A row trained in two epochs counts twice."""
        return sum(tokens[row] for rows in self.by_epoch.values() for row in rows)

    def table(self, token_table: pa.Table) -> pa.Table:
        """One line per trained row (ROW_SCHEMA), in the order of the token table."""
        epochs = range(max(self.by_epoch, default=-1) + 1)
        losses = [[self.by_epoch.get(epoch, {}).get(row) for epoch in epochs] for row in range(token_table.num_rows)]
        columns = {name: token_table.column(name) for name in ("row", "tokens", "trained_tokens")}
        return pa.table(columns | {"losses": losses}, schema=ROW_SCHEMA)
