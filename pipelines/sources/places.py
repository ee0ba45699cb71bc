"""Places: the rows of a file that is in no project, as records with where each stands."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.records import Record
from pipelines.sources.archive import Opened
from pipelines.sources.convert import Converter
from pipelines.sources.locate import locate
from pipelines.sources.read import FileRows
from pipelines.sources.recognise import recognise
from pipelines.sources.rows import Rejection
from pipelines.sources.sample import take_sample


@dataclass(frozen=True, slots=True)
class Place:
    """A record and the row it was read from."""

    file: str
    row: int
    record: Record


def readable_places(source: str | Path) -> Iterator[Place]:
    """The rows of a file, a folder or an archive that can be read; the others are left out. Raises WorkbenchError when it is not there."""
    return (one for one in places(source) if isinstance(one, Place))


def places(source: str | Path) -> Iterator[Place | Rejection]:
    """All rows of a file, a folder or an archive, those that cannot be read with the reason. Raises WorkbenchError when it is not there."""
    with tempfile.TemporaryDirectory(prefix="winnow-") as folder:
        for file in Opened(locate(source), Path(folder)):
            if isinstance(file, Rejection):
                yield file
            elif file.size:
                found = FileRows(file)
                converter = Converter(recognise([row.value for row in take_sample(found).rows]).form)
                for row in found:
                    for one in [row] if isinstance(row, Rejection) else converter.convert(row):
                        yield one if isinstance(one, Rejection) else Place(row.file, row.row, one[1])
