"""Decision: what a person or a rule said about a record. Append-only; undo is a new event."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from pipelines.errors import WorkbenchError
from pipelines.rules.rule_file import known_checks
from pipelines.sources.rows import value_problem
from pipelines.store import query
from pipelines.store.database import decisions as events
from pipelines.store.database import now
from pipelines.store.project import Project

Verdict = Literal["keep", "drop", "flag", "skip", "edit", "fix", "comment", "undo"]
"""A fix is a rule's edit: it changes the text and decides nothing."""
VERDICTS: tuple[str, ...] = ("keep", "drop", "flag", "skip", "edit", "fix", "comment", "undo")
_EDITS = ("edit", "fix")
_DECIDING = ("keep", "drop", "flag", "edit")
_LARGEST_SEQ = 2**63 - 1
"""What a database can count to; it fails on a larger number instead of not finding it."""

_VERDICT_SCHEMA = pa.schema(
    [
        ("record", pa.string()), ("verdict", pa.string()), ("reason", pa.string()), ("decided_by", pa.string()),
        ("edit", pa.string()), ("seq", pa.int64()), ("at", pa.string()),
    ]
)  # fmt: skip
_EDIT_SCHEMA = pa.schema([(name, pa.string()) for name in ("record", "edit", "edited_id", "reason", "decided_by")] + [("seq", pa.int64())])
_MAP_SCHEMA = pa.schema([("id", pa.string()), ("cluster", pa.int32()), ("x", pa.float32()), ("y", pa.float32())])
_PAIR_SCHEMA = pa.schema([("left", pa.string()), ("right", pa.string()), ("similarity", pa.float64())])


@dataclass(frozen=True, slots=True)
class Decision:
    """One event about one record."""

    record: str
    """Id of the record before any edit."""
    verdict: Verdict
    reason: str = ""
    edit: list[dict[str, Any]] | None = None
    """The messages after an edit (verdict "edit" or "fix")."""
    edited_id: str | None = None
    """Id of the record as a fix leaves it; None for anything else."""
    undoes: int | None = None
    """The seq that an undo takes back."""
    batch: str | None = None
    """Shared by all decisions of one bulk action."""
    decided_by: str = "human:local"
    """human:<name> or rule:<check>@<version>."""
    client_id: str = field(default_factory=lambda: uuid4().hex)
    """A decision sent twice under one client_id is written once."""
    seconds: float | None = None
    """Time the card was looked at."""


def decide(project: Project, decisions: Sequence[Decision]) -> dict[str, int]:
    """Writes decisions in order, in one transaction. Returns the seq of each by client_id, also for those written before.

    Raises WorkbenchError on an unknown verdict, an edit without messages or a text that no file could hold; then nothing is written.
    """
    for decision in decisions:
        _validate(decision)
    if not decisions:
        return {}
    with project.database.write() as connection:
        return _insert(connection, decisions)


def write_fixes(project: Project, fixes: Sequence[Decision], made_from: Mapping[str, int | None]) -> set[str]:
    """Writes those fixes whose rows nobody has decided about and still read as when the fix was made. Returns the records of the others.

    `made_from` tells for each record the seq of the edit that the fix was made from, None for the text as imported. Rows are looked at
    and written in one transaction, so that on SQLite nobody can write between.
    """
    for fix in fixes:
        _validate(fix)
    with project.database.write() as connection:
        edit, verdict = _latest(*_EDITS, records=made_from), _latest(*_DECIDING, records=made_from)
        standing = {record: seq for record, seq in connection.execute(sa.select(edit.c.record, edit.c.seq).where(edit.c.rank == 1))}
        decided = set(connection.execute(sa.select(verdict.c.record).where(verdict.c.rank == 1)).scalars())
        changed = decided | {record for record, seq in made_from.items() if standing.get(record) != seq}
        _insert(connection, [fix for fix in fixes if fix.record not in changed])
    return changed


def _insert(connection: sa.Connection, decisions: Sequence[Decision]) -> dict[str, int]:
    at = now()
    seq_by_client: dict[str, int] = {}
    for chunk in _chunks(list(decisions), 500):
        known = _seqs(connection, [d.client_id for d in chunk])
        fresh = {d.client_id: d for d in chunk if d.client_id not in known}
        if fresh:
            connection.execute(sa.insert(events), [_row(d, at) for d in fresh.values()])
            known |= _seqs(connection, list(fresh))
        seq_by_client |= known
    return seq_by_client


def _validate(decision: Decision) -> None:
    if decision.verdict not in VERDICTS:
        raise WorkbenchError(f'"{decision.verdict}" is not a verdict. Use one of {", ".join(VERDICTS)}.')
    if (decision.verdict in _EDITS) != (decision.edit is not None):
        raise WorkbenchError(f"Record {decision.record}: an edit needs the edited messages, and only an edit has them.")
    if decision.verdict == "fix" and not (decision.decided_by.startswith("rule:") and decision.edited_id):
        raise WorkbenchError(f"Record {decision.record}: a fix is made by a rule, and says which record comes of it.")
    if (decision.verdict == "undo") != (decision.undoes is not None):
        raise WorkbenchError(f"Record {decision.record}: an undo names the decision it takes back, and only an undo does.")
    if decision.undoes is not None and decision.undoes > _LARGEST_SEQ:
        raise _nothing_to_undo(decision.undoes)
    for what, value in (("reason", decision.reason), ("edited text", decision.edit), ("name of who decides", decision.decided_by)):
        if problem := value_problem(value):
            raise WorkbenchError(f"Record {decision.record}: the {what} cannot be saved. {problem}")


def _nothing_to_undo(named: int | str | None) -> WorkbenchError:
    return WorkbenchError(f"There is no decision {named} to undo. `winnow decisions` lists them.")


def _row(decision: Decision, at: str) -> dict[str, Any]:
    columns = ("client_id", "record", "verdict", "reason", "edit", "edited_id", "undoes", "batch", "decided_by", "seconds")
    return {name: getattr(decision, name) for name in columns} | {"at": at}


def _seqs(connection: sa.Connection, client_ids: list[str]) -> dict[str, int]:
    found = connection.execute(sa.select(events.c.client_id, events.c.seq).where(events.c.client_id.in_(client_ids)))
    return {client_id: seq for client_id, seq in found}


def _chunks(items: list[Decision], size: int) -> Iterator[list[Decision]]:
    return (items[i : i + size] for i in range(0, len(items), size))


def bulk(project: Project, records: Sequence[str], verdict: Verdict, *, reason: str = "", decided_by: str = "human:local") -> str:
    """The same verdict on many records, in one transaction. Returns the batch id, by which it can be undone."""
    batch = uuid4().hex
    decide(project, [Decision(record, verdict, reason=reason, batch=batch, decided_by=decided_by) for record in records])
    return batch


def undo(project: Project, *, seq: int | None = None, batch: str | None = None, decided_by: str = "human:local") -> int:
    """Takes back one decision, or a whole batch. Returns how many; what was undone before does not count.

    A fix is taken back with the later fixes of its row, which were made from the text it left. Raises WorkbenchError when there is no
    such decision.
    """
    if seq is not None and seq > _LARGEST_SEQ:
        raise _nothing_to_undo(seq)
    wanted = events.c.seq == seq if seq is not None else events.c.batch == batch
    undone = sa.select(events.c.undoes).where(events.c.undoes.is_not(None))
    with project.database.write() as connection:  # from the look to the last undo: a fix made meanwhile would stand on what is taken back
        found = connection.execute(sa.select(events.c.seq, events.c.record).where(wanted, events.c.verdict != "undo")).all()
        open_events = connection.execute(
            sa.select(events.c.seq, events.c.record).where(wanted, events.c.verdict != "undo", events.c.seq.not_in(undone))
        ).all()
        first = sa.select(events.c.record, sa.func.min(events.c.seq).label("seq")).where(wanted, events.c.verdict == "fix")
        first_fix = first.group_by(events.c.record).subquery()
        later = sa.select(events.c.seq, events.c.record).join(first_fix, events.c.record == first_fix.c.record)
        later = later.where(events.c.verdict == "fix", events.c.seq > first_fix.c.seq, events.c.seq.not_in(undone), sa.not_(wanted))
        open_events = [*open_events, *connection.execute(later).all()]
        if not found:
            raise _nothing_to_undo(seq if seq is not None else batch)
        _insert(connection, [Decision(record, "undo", undoes=taken_back, decided_by=decided_by) for taken_back, record in open_events])
    return len(open_events)


def log(project: Project, record: str | None = None, limit: int | None = None) -> list[dict[str, Any]]:
    """The events, oldest first; of one record, or the last `limit`."""
    select = sa.select(events).order_by(events.c.seq.desc()).limit(limit)
    if record is not None:
        select = select.where(events.c.record == record)
    with project.database.read() as connection:
        return [dict(row) for row in connection.execute(select).mappings()][::-1]


def verdicts(project: Project) -> pa.Table:
    """The current state of every record that has one: record, verdict, reason, decided_by, edit (JSON text or null), seq, at.

    Undone events do not count, a person outranks a rule, the latest wins. An edit counts as keep; its text stays through later
    verdicts until it is undone or edited again. A skip, a comment or a fix is no verdict.
    """
    latest, edit = _latest(*_DECIDING), _latest(*_EDITS)
    select = (
        sa.select(latest.c.record, latest.c.verdict, latest.c.reason, latest.c.decided_by, edit.c.edit, latest.c.seq, latest.c.at)
        .outerjoin(edit, sa.and_(edit.c.record == latest.c.record, edit.c.rank == 1))
        .where(latest.c.rank == 1)
        .order_by(latest.c.seq)
    )
    with project.database.read() as connection:
        rows = connection.execute(select).all()
    by_name: dict[str, list[Any]] = {name: [row[i] for row in rows] for i, name in enumerate(_VERDICT_SCHEMA.names)}
    by_name["verdict"] = ["keep" if v == "edit" else v for v in by_name["verdict"]]
    by_name["edit"] = [None if e is None else json.dumps(e, ensure_ascii=False) for e in by_name["edit"]]
    return pa.table(by_name, schema=_VERDICT_SCHEMA)


def edits(project: Project) -> pa.Table:
    """The text of every record that reads otherwise than it was imported: record, edit (JSON text), edited_id, reason, decided_by, seq.

    The last edit of a person, else the last fix. `edited_id` is null for a person's edit.
    """
    edit = _latest(*_EDITS)
    select = sa.select(*(edit.c[name] for name in _EDIT_SCHEMA.names)).where(edit.c.rank == 1).order_by(edit.c.seq)
    with project.database.read() as connection:
        rows = connection.execute(select).all()
    by_name: dict[str, list[Any]] = {name: [row[i] for row in rows] for i, name in enumerate(_EDIT_SCHEMA.names)}
    by_name["edit"] = [json.dumps(edit, ensure_ascii=False) for edit in by_name["edit"]]
    return pa.table(by_name, schema=_EDIT_SCHEMA)


def _latest(*verdicts: str, records: Iterable[str] | None = None) -> sa.Subquery:
    """The standing events of some verdicts (about some records; None for all).

    `rank` is 1 for the one that counts for its record: a person's before a rule's, the last.
    """
    undone = sa.select(events.c.undoes).where(events.c.undoes.is_not(None))
    of_records = sa.true() if records is None else events.c.record.in_(records)
    standing = sa.select(events).where(events.c.verdict.in_(verdicts), events.c.seq.not_in(undone), of_records).subquery()
    is_rule = sa.case((standing.c.decided_by.like("rule:%"), 1), else_=0)
    rank = sa.func.row_number().over(partition_by=standing.c.record, order_by=(is_rule, standing.c.seq.desc()))
    return sa.select(standing, rank.label("rank")).subquery()


@contextmanager
def connect(project: Project) -> Iterator[duckdb.DuckDBPyConnection]:
    """`store.query.connect` with the views `verdicts`, `edits`, `map` and `near_pairs` beside the others.

    The view `measurements` tells what a mended row reads like now.
    """
    from pipelines.curation.mended_rows import add_mended_measurements

    with query.connect(project, known_checks(project)) as connection:
        connection.register("verdicts", verdicts(project))
        connection.register("edits", edits(project))
        add_mended_measurements(connection, project)
        _feature_view(connection, "map", project.features_folder / "map.parquet", _MAP_SCHEMA)
        _feature_view(connection, "near_pairs", project.features_folder / "near_pairs.parquet", _PAIR_SCHEMA)
        yield connection


def _feature_view(connection: duckdb.DuckDBPyConnection, name: str, file: Path, schema: pa.Schema) -> None:
    if file.is_file():
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({query.quoted(file)})")
    else:
        connection.register(name, schema.empty_table())
