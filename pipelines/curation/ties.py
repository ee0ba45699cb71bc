"""Tie: a reason why two records must be in the same split. Equal or nearly equal text, equal prompt, equal source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.curation.splits import first_equal
from pipelines.errors import WorkbenchError
from pipelines.store.query import quoted

MIN_SIMILARITY = 0.5
"""Rows that share at least this part of their three-word phrases (Jaccard) count as nearly the same."""


@dataclass(frozen=True, slots=True)
class NearTies:
    """Pairs of nearly equal rows, by index."""

    left: np.ndarray
    right: np.ndarray
    capped_rows: int
    """Rows so often alike (a template) that not every pair of them was compared; they are tied to each other in chains."""


def read_tie_columns(connection: duckdb.DuckDBPyConnection, relation: str, group_by: str | None, extra: str = "") -> pa.Table:
    """The columns that ties are found in, ordered by id: id, prompt, answer, source (the value of `group_by`, or null) and `extra`."""
    source = "NULL::VARCHAR" if group_by is None else f"json_extract_string(meta, {quoted(_pointer(group_by))})"
    return connection.sql(f"SELECT id, prompt, answer, {source} AS source {extra} FROM {relation} ORDER BY id").to_arrow_table()


def require_column(connection: duckdb.DuckDBPyConnection, group_by: str) -> None:
    """Raises WorkbenchError when no record has the column that the recipe groups by."""
    present = connection.execute(
        f"SELECT 1 FROM records WHERE json_extract_string(meta, {quoted(_pointer(group_by))}) IS NOT NULL LIMIT 1"
    ).fetchall()
    if present:
        return
    names = [
        name for (name,) in connection.execute("SELECT DISTINCT unnest(json_keys(meta)) AS name FROM records ORDER BY name").fetchall()
    ]
    there = f"The columns are: {', '.join(names)}." if names else "The rows have no other columns."
    raise WorkbenchError(
        f'No row has the column "{group_by}" that rows are to be kept together by. {there} Change "group by" in the recipe.'
    )


def _pointer(column: str) -> str:
    """RFC 6901, so that a column's name may hold dots, quotes and slashes."""
    return "/" + column.replace("~", "~0").replace("/", "~1")


def equal_values(columns: pa.Table, group_by: str | None) -> dict[str, np.ndarray]:
    """By kind of tie, int64 per row of `read_tie_columns`: the index of the first row with the same value, -1 where it has none."""
    from pipelines.duplicates.exact import exact_groups

    prompts = columns.column("prompt")
    blank = pc.equal(pc.utf8_trim_whitespace(prompts), "").to_numpy()
    keys = {
        "equal_text": np.asarray(exact_groups(_compared_text(columns)), np.int64),
        "equal_prompt": np.where(blank, -1, exact_groups(prompts)),
    }
    return keys if group_by is None else keys | {f"same_{group_by}": first_equal(columns.column("source"))}


def search_near_pairs(columns: pa.Table, seed: int, emit: Callable[..., None]) -> NearTies:
    """Pairs of nearly equal rows. Another seed is another independent search: what one misses near the limit, the next may find."""
    from pipelines.duplicates.near import near_pairs

    def pass_on(message: str | None = None, **numbers: object) -> None:
        emit(message=message, **{k: v for k, v in numbers.items() if k != "fraction"})

    found = near_pairs(_compared_text(columns), min_similarity=MIN_SIMILARITY, seed=seed, emit=pass_on)
    left, right = (found.pairs.column(side).to_numpy().astype(np.int64) for side in ("left", "right"))
    return NearTies(left, right, found.capped_rows)


def _compared_text(columns: pa.Table) -> pa.ChunkedArray:
    """What is compared, as in a scan: the prompt and the answer, without the system prompt that many rows share."""
    prompt, answer = (columns.column(name).cast(pa.large_string()) for name in ("prompt", "answer"))
    return pc.binary_join_element_wise(prompt, answer, pa.scalar("\n\n", pa.large_string()))
