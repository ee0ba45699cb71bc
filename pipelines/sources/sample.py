"""Sample: the first rows of a file, to judge its format by."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

from pipelines.sources.recognise import SAMPLE_ROWS
from pipelines.sources.rows import RawRow, Rejection

_MAX_CHARACTERS = 32 * 1024 * 1024
_MAX_REJECTED = 5_000


@dataclass(frozen=True, slots=True)
class Sample:
    """What the first rows of a file are."""

    rows: list[RawRow]
    rejected: list[Rejection]


def take_sample(rows: Iterable[RawRow | Rejection], limit: int = SAMPLE_ROWS) -> Sample:
    """The first readable rows, fewer when they are huge or when hardly any can be read."""
    sample = Sample([], [])
    characters = 0
    with closing(iter(rows)) as found_rows:  # type: ignore[type-var] # it is a generator
        for found in found_rows:
            if isinstance(found, Rejection):
                sample.rejected.append(found)
                characters += len(found.raw)
            else:
                sample.rows.append(found)
                characters += len(found.raw or "")
            if len(sample.rows) >= limit or len(sample.rejected) >= _MAX_REJECTED or characters > _MAX_CHARACTERS:
                break
    return sample
