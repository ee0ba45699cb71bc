"""By parts: a function of many texts, run on parts of them side by side. Arrow's functions take one core each and hold no lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import pyarrow as pa

Result = TypeVar("Result")
_FEWEST_ROWS = 8_192
"""Texts of a part at least: a pattern takes milliseconds to prepare, anew for each part."""


def by_parts(function: Callable[[pa.ChunkedArray], Result], texts: pa.ChunkedArray) -> list[Result]:
    """What `function` returns for each part of the texts, in order: a part for each core, at least one."""
    from pipelines.executor import Threads

    threads = Threads()
    rows = max(-(-len(texts) // threads.workers), _FEWEST_ROWS)
    if len(texts) <= rows:
        return [function(texts)]

    def at(start: int) -> tuple[int, Result]:
        return start, function(texts.slice(start, rows))

    found = dict(threads.map(at, range(0, len(texts), rows)))
    return [found[start] for start in sorted(found)]
