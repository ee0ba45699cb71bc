"""Held-out rows: those of test sets that a model will be judged by. What repeats one of them must not be learned."""

from __future__ import annotations

import functools
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.checks import Batch, Check, Evidence, Measurements
from pipelines.errors import WorkbenchError
from pipelines.records import content_hash
from pipelines.store.project import Project

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.duplicates.containment import TextSet

HELD_OUT_CHECK = "held_out_row"
HELD_OUT_TITLE = "Rows that repeat a test question"
_CONTAINED = 70.0
"""Percent of a test question that counts as all of it; of its runs of words, as in Chowdhery et al. 2022 (PaLM), section 8."""
_SHOWN = 35.0
"""Percent from which on the question is named beside the row, for a recipe with a lower limit."""
_EXCERPT = 120
_DESCRIPTION = """How much of a test question the row holds, in percent, for the test question it holds most of.

The model would be judged by what it has learned by heart, and look better than it is. Drop the row, or take the question out of the test.

Looked for are the questions of the test sets that the project names. One of about eight words or more is looked for in all that the row
says, a shorter one only where it is the row's whole question. What many of the questions have in common, such as the same instructions,
does not count.
"""


@dataclass(frozen=True, slots=True)
class HeldOutSet:
    """A test set as the project keeps it."""

    name: str
    """The name of the file or folder it came from."""
    questions: int


def held_out_sets(project: Project) -> list[HeldOutSet]:
    """The test sets of a project, by name."""
    import pyarrow.parquet as pq

    return [HeldOutSet(path.stem, pq.read_metadata(path).num_rows) for path in _files(project)]


def add_held_out(project: Project, source: str | Path, *, name: str | None = None) -> HeldOutSet:
    """Keeps the questions of a file as a test set of the project; one of the same name is replaced. The next scan looks for them.

    Raises WorkbenchError when there is nothing to read, or when the name is none that a file can have.
    """
    import pyarrow as pa

    from pipelines.sources.places import readable_places
    from pipelines.store.tables import write_parquet

    called = name or Path(source).name
    if called != Path(called).name or called.startswith("."):
        raise WorkbenchError(f'A test set cannot be called "{called}". Use letters, digits and spaces.')
    places = [place for place in readable_places(source) if place.record.prompt.strip()]
    if not places:
        raise WorkbenchError(f"No row of {called} has a question that can be read, so there is nothing to look for.")
    columns = {"file": [p.file for p in places], "row": [p.row for p in places], "question": [p.record.prompt for p in places]}
    schema = pa.schema([("file", pa.string()), ("row", pa.int64()), ("question", pa.large_string())])
    kept = project.held_out_folder / f"{called}.parquet"
    write_parquet(pa.table(columns, schema=schema), kept)
    _forget_replaced(project)
    return HeldOutSet(kept.stem, len(places))


def remove_held_out(project: Project, name: str) -> None:
    """Forgets a test set. Raises WorkbenchError when there is none of that name."""
    found = next((path for path in _files(project) if path.stem == name), None)
    if found is None:
        there = ", ".join(one.name for one in held_out_sets(project))
        raise WorkbenchError(f'There is no test set "{name}". {f"The test sets are: {there}." if there else "None is named."}')
    found.unlink()
    _forget_replaced(project)


def held_out_checks(project: Project) -> dict[str, Check]:
    """The check that looks for the test sets of a project; none where it has none."""
    stamps = tuple((str(path), path.stat().st_mtime_ns) for path in _files(project))
    if not stamps:
        return {}
    return {
        HELD_OUT_CHECK: Check(
            name=HELD_OUT_CHECK,
            title=HELD_OUT_TITLE,
            description=_DESCRIPTION,
            unit="% of the question",
            threshold=_CONTAINED,
            direction="above",
            severity="error",
            group="duplicates",
            measure=functools.partial(_measure, stamps),
            folder=f"{HELD_OUT_CHECK}@1-{_version(stamps)}",
        )
    }


def _forget_replaced(project: Project) -> None:
    """Deletes what was measured by other test sets: it can be measured again."""
    kept = {check.key for check in held_out_checks(project).values()}
    for folder in project.measurements_folder.glob(f"{HELD_OUT_CHECK}@*"):
        if folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)


Stamps = tuple[tuple[str, int], ...]


def _files(project: Project) -> list[Path]:
    return sorted(project.held_out_folder.glob("*.parquet"))


@functools.lru_cache(8)
def _version(stamps: Stamps) -> str:
    """Changes with what is looked for."""
    return content_hash([hashlib.sha256(Path(path).read_bytes()).hexdigest() for path, _ in stamps])[:16]


@dataclass(frozen=True, slots=True)
class _Questions:
    texts: TextSet
    by_digest: dict[bytes, int]
    """Each question's number, by the digest of all of it; of equal ones, the first."""
    notes: list[str]
    """Where each stands and how it begins."""


@functools.lru_cache(2)
def _questions(stamps: Stamps) -> _Questions:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from pipelines.duplicates.containment import TextSet

    table = pa.concat_tables([pq.read_table(path) for path, _ in stamps])
    rows = zip(*(table.column(name).to_pylist() for name in ("file", "row", "question")), strict=True)
    notes = [f"{file}, row {row}: “{_excerpt(question)}”" for file, row, question in rows]
    digests = _digests(table.column("question"))
    by_digest = {digest: number for number, digest in reversed(list(enumerate(digests)))}
    return _Questions(TextSet(table.column("question")), by_digest, notes)


def _excerpt(question: str) -> str:
    words = " ".join(question[: 2 * _EXCERPT].split())
    return words if len(words) <= _EXCERPT and len(question) <= 2 * _EXCERPT else f"{words[:_EXCERPT].rstrip()}…"


def _digests(texts: pa.ChunkedArray) -> list[bytes]:
    from pipelines.duplicates.exact import text_digests

    return [digest.tobytes() for digest in text_digests(texts)]


def _measure(stamps: Stamps, batch: Batch) -> Measurements:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    questions = _questions(stamps)
    said = [pc.fill_null(batch.column(name), "") for name in ("system", "prompt", "answer")]
    found = questions.texts.contained_in(pc.binary_join_element_wise(*said, pa.scalar("\n\n", pa.large_string())))
    percent, which = 100 * found.share, found.which
    for row, digest in enumerate(_digests(batch.column("prompt"))):
        if percent[row] < 100 and (number := questions.by_digest.get(digest)) is not None:
            percent[row], which[row] = 100.0, number
    evidence: list[tuple[Evidence, ...]] = [()] * len(batch)
    for row in np.flatnonzero(percent > _SHOWN).tolist():
        evidence[row] = (Evidence(note=questions.notes[int(which[row])]),)
    return Measurements(percent.tolist(), evidence)
