"""Queue: which records to review, and in which order. Small enough to live in a URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import duckdb
import pyarrow as pa

from pipelines.checks import all_checks
from pipelines.curation.decisions import connect
from pipelines.curation.issue_index import add_issue_index
from pipelines.curation.recipe import Recipe, load_recipe
from pipelines.curation.saved_selection import load_selection
from pipelines.errors import WorkbenchError
from pipelines.rules.rule import is_rule_name
from pipelines.rules.rule_file import OWN_CHECKS
from pipelines.store.project import Project

State = Literal["undecided", "all", "keep", "drop", "flag"]
Order = Literal["worst", "random", "import"]
STATES: tuple[State, ...] = ("undecided", "all", "keep", "drop", "flag")
ORDERS: tuple[Order, ...] = ("worst", "random", "import")


@dataclass(frozen=True, slots=True)
class Queue:
    """A filter and an order over the project's records."""

    check: str | None = None
    """Only records with this issue."""
    cluster: int | None = None
    state: State = "undecided"
    search: str = ""
    """Only records whose prompt or answer contains this text, whatever the case."""
    order: Order = "worst"
    """worst: furthest beyond the check's threshold, or most and severest issues; random: by seed; import: as they came."""
    seed: int = 0
    ids: tuple[str, ...] = ()
    """Only these records (a selection made elsewhere); empty for no limit."""
    selection: str | None = None
    """Only the records of this saved selection: for more ids than a URL can hold."""

    def __post_init__(self) -> None:
        """Raises WorkbenchError on an unknown check, state or order.

        A check or a rule of the project's own may have gone since; then no record has its issue.
        """
        if self.check is not None and self.check not in {*all_checks(), *OWN_CHECKS} and not is_rule_name(self.check):
            raise WorkbenchError(f"There is no check named {self.check}. The checks are: {', '.join(all_checks())}.")
        if self.state not in STATES or self.order not in ORDERS:
            raise WorkbenchError(f"A queue has a state of {', '.join(STATES)} and an order of {', '.join(ORDERS)}.")

    def to_query(self) -> dict[str, str]:
        """URL query parameters; what is at its default is left out."""
        default = Queue()
        names = ("check", "cluster", "state", "search", "order", "seed", "selection")
        query = {name: str(getattr(self, name)) for name in names if getattr(self, name) != getattr(default, name)}
        return query | ({"ids": ",".join(self.ids)} if self.ids else {})

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Queue:
        """The inverse of to_query. Raises WorkbenchError on values that make no sense."""
        try:
            return cls(
                check=query.get("check") or None,
                cluster=int(query["cluster"]) if query.get("cluster") else None,
                state=query.get("state", "undecided"),  # type: ignore[arg-type] # checked in __post_init__
                search=query.get("search", ""),
                order=query.get("order", "worst"),  # type: ignore[arg-type]
                seed=int(query.get("seed", 0)),
                ids=tuple(filter(None, query.get("ids", "").split(","))),
                selection=query.get("selection") or None,
            )
        except ValueError:
            raise WorkbenchError("The link to this queue is damaged: cluster and seed must be whole numbers.") from None


def queue_ids(project: Project, queue: Queue, *, limit: int | None = None, offset: int = 0, recipe: Recipe | None = None) -> list[str]:
    """Ids of a page of the queue, in its order. The same queue gives the same order until decisions change."""
    with connect(project) as connection:
        tables, where, values = _filter(connection, project, queue, recipe, ordered=True)
        values |= {"limit": limit if limit is not None else 2**62, "offset": offset}
        values |= {"seed": queue.seed} if queue.order == "random" else {}
        rows = connection.execute(
            f"SELECT r.id FROM {tables} WHERE {where} ORDER BY {_ORDER[queue.order]} LIMIT $limit OFFSET $offset",
            values,
        ).fetchall()
    return [id for (id,) in rows]


def queue_size(project: Project, queue: Queue, recipe: Recipe | None = None) -> int:
    """How many records the queue holds."""
    with connect(project) as connection:
        tables, where, values = _filter(connection, project, queue, recipe, ordered=False)
        found = connection.execute(f"SELECT count(*) FROM {tables} WHERE {where}", values).fetchone()
    return found[0] if found else 0


_ORDER = {
    "worst": "k.rank DESC NULLS LAST, r.position",
    "random": "hash(r.id || $seed::VARCHAR), r.position",
    "import": "r.position",
}


_OTHER_COLUMNS = """regexp_replace(r.meta, '"(?:[^"\\\\]|\\\\.)*":', '', 'g')"""
"""The values of the source's other columns, such as a case number, without the columns' names."""


def _filter(
    connection: duckdb.DuckDBPyConnection, project: Project, queue: Queue, recipe: Recipe | None, *, ordered: bool
) -> tuple[str, str, dict[str, Any]]:
    """The tables a queue needs, its conditions, and their values. What it does not ask for is not read."""
    tables, clauses = ["records r"], ["TRUE"]
    values: dict[str, Any] = {}
    if queue.check is not None or (ordered and queue.order == "worst"):
        add_issue_index(connection, project, recipe or load_recipe(project))
        of_check = "" if queue.check is None else f"WHERE i.check = '{queue.check}'"  # a known name: see Queue.__post_init__
        rank = "sum(i.weight)" if queue.check is None else "max(i.excess)"
        connection.execute(f"CREATE VIEW ranked AS SELECT i.id, {rank} AS rank FROM issue_index i {of_check} GROUP BY i.id")
        tables.append(f"{'LEFT ' if queue.check is None else ''}JOIN ranked k ON k.id = r.id")
    if queue.cluster is not None:
        tables.append("JOIN map m ON m.id = r.id")
        clauses.append("m.cluster = $cluster")
        values["cluster"] = queue.cluster
    if queue.state != "all":
        tables.append("LEFT JOIN verdicts v ON v.record = r.id")
        clauses.append("v.record IS NULL" if queue.state == "undecided" else "v.verdict = $state")
        values |= {} if queue.state == "undecided" else {"state": queue.state}
    if queue.search:
        places = ("r.prompt", "r.answer", _OTHER_COLUMNS)
        clauses.append(f"({' OR '.join(f'contains(lower({place}), lower($search))' for place in places)})")
        values["search"] = queue.search
    chosen = {"chosen": queue.ids} if queue.ids else {}
    if queue.selection is not None:
        chosen["selected"] = tuple(load_selection(project, queue.selection))
    for name, ids in chosen.items():
        connection.register(name, pa.table({"id": pa.array(ids, pa.string())}))
        clauses.append(f"r.id IN (SELECT id FROM {name})")
    return " ".join(tables), " AND ".join(clauses), values
