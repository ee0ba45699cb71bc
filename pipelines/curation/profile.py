"""Profile: what the records look like as a whole. Lengths, turns, kinds, languages, sources, topics, and facts that age."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np

from pipelines.record_features import AGEING_FACTS, ROW_PROFILE, record_feature
from pipelines.store import query
from pipelines.store.project import Project

_LENGTH_EDGES = (0, 1, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
_TURN_EDGES = (1, 2, 3, 4, 5, 7, 9, 13, 21)
_KINDS = {"chat": "Conversations", "preference": "Pairs of a better and a worse answer", "unpaired": "Answers marked wanted or unwanted"}
_MOST_BARS = 12
_LANGUAGE_ROWS = 2_000
_SURE = 0.5
_KEPT = 4
"""Sets of rows whose profile is kept in memory."""

FACT_SHARE = 0.1
"""From this share of answers on, the report says that looking facts up serves better than learning them."""


def profile(project: Project) -> list[dict[str, Any]]:
    """Distributions over all records: {"key", "title", "caption", "rows", "bars": [{"label", "count"}]}; what has no rows is left out."""
    return _profile(str(project.folder), project.records_version)


@functools.lru_cache(_KEPT)
def _profile(root: str, version: str) -> list[dict[str, Any]]:
    project = Project(root)
    rows = record_feature(project, ROW_PROFILE)
    if rows.num_rows == 0:
        return []
    prompt, answer, turns = (rows.column(name).to_numpy().astype(np.int64) for name in ("prompt", "answer", "turns"))
    with query.connect(project) as connection:
        connection.register("row_profile", rows)
        found = [
            histogram("prompt_length", "Length of the prompt", prompt, _LENGTH_EDGES, "characters"),
            histogram("answer_length", "Length of the answer", answer, _LENGTH_EDGES, "characters"),
            histogram("turns", "Turns in a row", turns, _TURN_EDGES, "turns"),
            _languages(connection),
            _top(connection, "kinds", "Kinds of rows", "SELECT kind AS label, count(*) AS n FROM row_profile GROUP BY kind"),
            _top(connection, "files", "Files", "SELECT file AS label, count(*) AS n FROM source_rows GROUP BY file"),
        ]
    for bar in found[4]["bars"]:
        bar["label"] = _KINDS.get(bar["label"], bar["label"])
    found[5]["caption"] = "Rows of each file, with repeats"
    return [one for one in found if len(one["bars"]) > 1 or one["key"] in ("prompt_length", "answer_length")]


def histogram(key: str, title: str, values: np.ndarray, edges: Sequence[int], unit: str) -> dict[str, Any]:
    """A distribution as bars between edges, from the first bar with rows to the last. `values` must not be empty."""
    at = np.searchsorted(edges, values, side="right") - 1
    counts = np.bincount(np.clip(at, 0, None), minlength=len(edges))
    last = int(np.flatnonzero(counts).max())
    low, middle, high = (int(v) for v in np.percentile(values, (5, 50, 95), method="inverted_cdf"))
    bars = [{"label": _range(edges, i), "count": int(counts[i])} for i in range(last + 1)]
    while len(bars) > 1 and bars[0]["count"] == 0:
        bars.pop(0)
    caption = f"Half of the rows have {middle:,} {unit} or fewer; nine in ten have {low:,} to {high:,}"
    return {"key": key, "title": title, "caption": caption, "rows": len(values), "bars": bars}


def _range(edges: Sequence[int], i: int) -> str:
    if i == len(edges) - 1:
        return f"{edges[i]:,} and more"
    first, last = edges[i], edges[i + 1] - 1
    return f"{first:,}" if first == last else f"{first:,} to {last:,}"


def _top(connection: duckdb.DuckDBPyConnection, key: str, title: str, sql: str) -> dict[str, Any]:
    """The most frequent values; the others are one bar, so that the bars add up."""
    rows = connection.execute(f"SELECT label, n FROM ({sql}) ORDER BY n DESC, label").fetchall()
    bars = [{"label": label, "count": n} for label, n in rows]
    return {"key": key, "title": title, "caption": "", "rows": sum(n for _, n in rows), "bars": _topmost(bars)}


def _topmost(bars: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rest = bars[_MOST_BARS:]
    others = [{"label": f"{len(rest):,} others", "count": sum(bar["count"] for bar in rest)}] if rest else []
    return bars[:_MOST_BARS] + others


def _languages(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Languages of some rows, those with the lowest ids: ids are hashes, so these are drawn at random once and for all."""
    from pipelines.checks._languages import language

    rows = connection.execute(f"SELECT answer, prompt FROM records ORDER BY id LIMIT {_LANGUAGE_ROWS}").fetchall()
    found = (language(answer) or language(prompt) for answer, prompt in rows)  # an answer may be code or a label
    counts = Counter(one.name if one and one.score >= _SURE else "Short, mixed or code" for one in found)
    bars = [{"label": name, "count": n} for name, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    caption = (
        f"Of {len(rows):,} rows drawn at random" if len(rows) == _LANGUAGE_ROWS else "Of the answer, or of the prompt where it is short"
    )
    return {"key": "languages", "title": "Languages", "caption": caption, "rows": len(rows), "bars": _topmost(bars)}


def topics(connection: duckdb.DuckDBPyConnection, names: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every cluster with its name, rows and rows with an error or warning: {"cluster", "name", "size", "flagged"}, largest first.

    `connection` has the view `flagged` (the ids of records with an error or warning).
    """
    counted = connection.execute(
        """SELECT m.cluster, count(*), count(f.id) FROM map m SEMI JOIN records r ON r.id = m.id LEFT JOIN flagged f ON f.id = m.id
           GROUP BY m.cluster ORDER BY count(*) DESC, m.cluster"""
    ).fetchall()
    name_by_cluster = {c["cluster"]: c["name"] for c in names}
    return [
        {
            "cluster": cluster,
            "name": name_by_cluster.get(cluster, "Other rows" if cluster < 0 else f"Topic {cluster}"),
            "size": n,
            "flagged": k,
        }
        for cluster, n, k in counted
    ]


def ageing_facts(project: Project) -> dict[str, Any]:
    """How many answers hold facts that may be out of date later, and whether they are many enough to say so.

    The rule is a search for words, so it counts candidates: a year in a history lesson and a price in a sum are among them.
    """
    return _ageing_facts(str(project.folder), project.records_version)


@functools.lru_cache(_KEPT)
def _ageing_facts(root: str, version: str) -> dict[str, Any]:
    rows = record_feature(Project(root), ROW_PROFILE, columns=["answer", *AGEING_FACTS])
    flags = {name: rows.column(name).to_numpy() for name in AGEING_FACTS}
    total = int((rows.column("answer").to_numpy() > 0).sum())
    either = int(np.logical_or.reduce(list(flags.values())).sum())
    kinds = [{"kind": kind, "description": words, "count": int(flags[kind].sum())} for kind, (words, _) in AGEING_FACTS.items()]
    return {
        "answers": total,
        "with_facts": either,
        "kinds": kinds,
        "many": total > 0 and either >= FACT_SHARE * total,
        "share_to_tell": FACT_SHARE,
    }
