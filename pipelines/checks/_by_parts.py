"""By parts: a function of many texts, run on parts of them side by side. Arrow's functions take one core each and hold no lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import pyarrow as pa

Result = TypeVar("Result")
_PART_ROWS = 8_192
"""Texts that are looked at together: enough for a pattern to be worth its preparation, few enough to keep all cores busy."""


def by_parts(function: Callable[[pa.ChunkedArray], Result], texts: pa.ChunkedArray) -> list[Result]:
    """What `function` returns for each part of the texts, in order; at least one part. Parts are worked on side by side."""
    from pipelines.executor import Threads

    if len(texts) <= _PART_ROWS:
        return [function(texts)]

    def at(start: int) -> tuple[int, Result]:
        return start, function(texts.slice(start, _PART_ROWS))

    found = dict(Threads().map(at, range(0, len(texts), _PART_ROWS)))
    return [found[start] for start in sorted(found)]
