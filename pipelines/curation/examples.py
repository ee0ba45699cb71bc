"""Example: a flagged row with the words around what was found, short enough to judge at a glance."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

PER_CHECK = 5
_AROUND = 110
"""Characters shown before and after what was found."""
_WITHIN = 220
"""Characters shown of what was found."""
_OPENING = 260
"""Characters shown where the finding has no place of its own."""


def worst_examples(connection: duckdb.DuckDBPyConnection) -> dict[str, list[dict[str, Any]]]:
    """By check, the rows furthest beyond its threshold, at most five; of equal ones the first imported.

    Each: {"record", "file", "row", "value", "note", "role", "before", "found", "after", "other"}. `other` is an excerpt of the row that it
    is to be compared with, or null. Cuts are marked by an ellipsis.

    `connection` comes from `decisions.connect` and has the view `issue_index`.
    """
    connection.execute(
        f"""CREATE TEMP TABLE worst AS
            SELECT f.check, f.id, f.value, r.position, row_number() OVER (PARTITION BY f.check ORDER BY f.excess DESC, r.position) AS place
            FROM issue_index f JOIN records r ON r.id = f.id QUALIFY place <= {PER_CHECK}"""
    )
    shown = connection.sql(
        """SELECT w.check AS name, w.id, w.value, w.position, m.evidence
           FROM worst w JOIN measurements m ON m.check = w.check AND m.id = w.id
           ORDER BY w.check, w.place"""
    ).to_arrow_table()
    rows = shown.to_pylist()
    for row in rows:
        row["evidence"] = json.loads(row["evidence"]) if row["evidence"] else []
    compared = [spot["record"] for row in rows for spot in row["evidence"][:1] if "record" in spot]
    records = _records(connection, {row["position"] for row in rows}, compared)
    examples: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        examples.setdefault(row["name"], []).append(_example(row, records))
    return examples


def _records(connection: duckdb.DuckDBPyConnection, positions: set[int], others: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The records at these positions and the others by id."""
    if others:
        connection.register("other_ids", pa.table({"id": pa.array(sorted(set(others)), pa.string())}))
        found = connection.execute("SELECT r.position FROM records r JOIN other_ids o ON o.id = r.id").fetchall()
        positions = positions | {position for (position,) in found}
    if not positions:
        return {}
    # Positions as literals: a file keeps the least and the greatest of each block, so most of the texts are never read.
    wanted = ", ".join(map(str, sorted(positions)))
    records = connection.sql(
        f"""SELECT r.id, r.messages, r.chosen, r.prompt, r.answer, e.edit FROM records r
            LEFT JOIN edits e ON e.record = r.id AND e.edited_id IS NOT NULL WHERE r.position IN ({wanted})"""
    ).to_arrow_table()
    connection.register("wanted_ids", records.select(["id"]))
    places = connection.execute(
        """SELECT s.record, min({'file': s.file, 'row': s.row}) FROM source_rows s JOIN wanted_ids w ON w.id = s.record GROUP BY s.record"""
    ).fetchall()
    nowhere = {"file": None, "row": None}
    place_by_id = dict(places)
    return {row["id"]: row | place_by_id.get(row["id"], nowhere) for row in records.to_pylist()}


def _example(row: dict[str, Any], records: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    record = records[row["id"]]
    spot = row["evidence"][0] if row["evidence"] else {}
    role, before, found, after = _excerpt(record, spot)
    other = records.get(spot.get("record", ""))
    return {
        "record": row["id"],
        "file": record["file"],
        "row": record["row"],
        "value": row["value"],
        "note": spot.get("note", ""),
        "role": role,
        "before": before,
        "found": found,
        "after": after,
        "other": None
        if other is None
        else {
            "record": other["id"],
            "file": other["file"],
            "row": other["row"],
            "text": _cut(other["answer"] or other["prompt"], _OPENING),
        },
    }


def _excerpt(record: dict[str, Any], spot: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Role, words before, words found, words after. Positions count Unicode code points."""
    turns = json.loads(record["edit"]) if record["edit"] else [*record["messages"], *(record["chosen"] or [])]
    turn = spot.get("turn")
    if turn is None or not 0 <= turn < len(turns):
        return "", _cut(record["answer"] or record["prompt"], _OPENING), "", ""
    content = turns[turn]["content"]
    start, end = spot.get("start"), spot.get("end")
    if start is None or end is None or not 0 <= start < end <= len(content):
        return turns[turn]["role"], _cut(content, _OPENING), "", ""
    first, last = max(0, start - _AROUND), min(len(content), end + _AROUND)
    before = ("…" if first else "") + content[first:start]
    after = content[end:last] + ("…" if last < len(content) else "")
    return turns[turn]["role"], before, _middle_cut(content[start:end]), after


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[:characters].rstrip() + "…"


def _middle_cut(text: str) -> str:
    half = _WITHIN // 2
    return text if len(text) <= _WITHIN else f"{text[:half]} … {text[-half:]}"
