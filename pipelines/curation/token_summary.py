"""Token summary: how long the rows of a project are for the model it names, and what they will cost in training."""

from __future__ import annotations

import functools
from dataclasses import asdict
from typing import Any

import numpy as np

from pipelines.curation.decisions import connect
from pipelines.curation.percent import percent
from pipelines.curation.profile import histogram
from pipelines.record_features import ROW_PROFILE, record_feature
from pipelines.store.project import Project
from pipelines.tokens.token_checks import NOTHING_LEARNED, OVER_LENGTH, reader_of, token_checks

_EDGES = (0, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768)
_LONGEST = 0.01
"""Share of the rows, the longest, whose share of all tokens is told."""


_SPEED = "token_speed"
_USUAL_SPEED = 500_000
"""Characters a second, where nothing has been counted yet: measured on two cores with short rows."""


def count_seconds(project: Project) -> float:
    """About how long counting the tokens of all rows takes on this machine, by how long it took the last time."""
    return _characters(str(project.folder), project.records_version) / float(project.setting(_SPEED, _USUAL_SPEED))


def remember_speed(project: Project, seconds: float) -> None:
    """Keeps how long it took to count the tokens of all rows."""
    project.set_setting(_SPEED, max(_characters(str(project.folder), project.records_version) / max(seconds, 0.1), 1.0))


@functools.lru_cache(4)
def _characters(root: str, records: str) -> int:
    rows = record_feature(Project(root), ROW_PROFILE, columns=["prompt", "answer"])
    return int(sum(rows.column(name).to_numpy().sum() for name in ("prompt", "answer")))


def token_summary(project: Project) -> dict[str, Any] | None:
    """What was counted for the model that the project names; None where it names none or nothing has been counted.

    {"base", "max_length", "rows" (counted), "untrained" (rows without an answer to learn, and the like), "uncounted" (rows that came in
    since), "tokens", "learned" (tokens of answers), "longest", "longest_rows" and "longest_share" (the longest 1 % of the rows and their
    share of all tokens), "over" (rows beyond max_length), "over_share" (of all tokens, what is beyond it), "lengths" (a distribution as
    in `profile`)}.
    """
    reader = reader_of(project)
    if reader is None:
        return None
    files = [sorted((project.measurements_folder / check.key).rglob("*.parquet")) for check in token_checks(project).values()]
    stamp = tuple((str(file), file.stat().st_mtime_ns) for of_check in files for file in of_check)
    counted = _counted(str(project.folder), stamp, project.records_version, reader.max_length) if all(files) else None
    return None if counted is None else asdict(reader) | counted


def token_sentences(summary: dict[str, Any]) -> list[str]:
    """What `token_summary` counted, for people."""
    tokens, rows = summary["tokens"], summary["longest_rows"]
    longest, beyond = (percent(round(summary[share] * tokens), tokens) for share in ("longest_share", "over_share"))
    told = [
        f"{_rows(summary['rows'])} {'holds' if summary['rows'] == 1 else 'hold'} {tokens:,} tokens (words and pieces of words) "
        f"for {summary['base']}. "
        f"Of these, {summary['learned']:,} or {percent(summary['learned'], tokens)}, are answers, which the model learns to write.",
        f"The longest {'row holds' if rows == 1 else f'{rows:,} rows hold'} {longest} of all tokens.",
        f"{_rows(summary['over'])} {_be(summary['over'])} longer than {summary['max_length']:,} tokens; "
        f"{beyond} of all tokens lie beyond that limit."
        if summary["over"]
        else f"The longest row has {summary['longest']:,} tokens; none is longer than the limit of {summary['max_length']:,}.",
    ]
    if summary["untrained"]:
        told.append(f"{_rows(summary['untrained'])} without an answer that can be trained {_be(summary['untrained'])} not counted.")
    if summary["uncounted"]:
        told.append(f"{_rows(summary['uncounted'])} came in since and {_be(summary['uncounted'])} not counted.")
    return told


def _be(count: int) -> str:
    return "is" if count == 1 else "are"


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


@functools.lru_cache(4)
def _counted(root: str, stamp: tuple[tuple[str, int], ...], records: str, limit: int) -> dict[str, Any] | None:
    with connect(Project(root)) as connection:
        values = {
            name: connection.execute(
                "SELECT m.value FROM measurements m SEMI JOIN records r ON r.id = m.id WHERE m.check = $check AND m.value IS NOT NULL",
                {"check": name},
            ).fetchnumpy()["value"]
            for name in (OVER_LENGTH, NOTHING_LEARNED)
        }
        ((seen,),) = connection.execute(
            "SELECT count(*) FROM measurements m SEMI JOIN records r ON r.id = m.id WHERE m.check = $check", {"check": OVER_LENGTH}
        ).fetchall()
        ((uncounted,),) = connection.execute(
            "SELECT count(*) FROM records r ANTI JOIN (SELECT c.id FROM measurements c WHERE c.check = $check) m ON m.id = r.id",
            {"check": NOTHING_LEARNED},
        ).fetchall()
    lengths = np.sort(np.asarray(values[OVER_LENGTH], np.int64))
    if not len(lengths):
        return None
    total, longest = int(lengths.sum()), max(1, round(_LONGEST * len(lengths)))
    return {
        "rows": len(lengths),
        "untrained": seen - len(lengths),
        "uncounted": uncounted,
        "tokens": total,
        "learned": int(np.asarray(values[NOTHING_LEARNED]).sum()),
        "longest": int(lengths[-1]),
        "longest_rows": longest,
        "longest_share": float(lengths[-longest:].sum() / total),
        "over": int((lengths > limit).sum()),
        "over_share": float(np.clip(lengths - limit, 0, None).sum() / total),
        "lengths": histogram("tokens", "Length of the row for the model", lengths, _EDGES, "tokens"),
    }
