"""Tie: a reason why two records must be in the same split. Equal or nearly equal text, equal prompt, equal source."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.curation.splits import first_equal, leak_groups
from pipelines.errors import WorkbenchError
from pipelines.store.query import quoted

MIN_SIMILARITY = 0.5
"""Rows that share at least this part of their three-word phrases (Jaccard) count as nearly the same."""
MIN_PROMPT_SIMILARITY = 0.8
"""The same for prompts alone: higher, because prompts of one task share their instructions."""
MOST_ALIKE = (50, 0.02)
"""Rows, and share of all rows, up to which nearly equal prompts are taken for one question. More of them are a template, and not tied."""
_OPENING_CHARACTERS = 40
"""A first question, or one with its answer, that is shorter is no tie: many conversations begin with a greeting."""


@dataclass(frozen=True, slots=True)
class NearTies:
    """Pairs of nearly equal rows, by index."""

    left: np.ndarray
    right: np.ndarray
    capped_rows: int
    """Rows so often alike (a template) that not every pair of them was compared; they are tied to each other in chains."""
    template_rows: int = 0
    """Rows whose prompts are so often alike that they are a template: their prompts are no tie."""


def read_tie_columns(connection: duckdb.DuckDBPyConnection, relation: str, group_by: str | None, extra: str = "") -> pa.Table:
    """The columns that ties are found in, ordered by id: id, prompt, answer, question, opening, sources and `extra`.

    The question is the first turn of a conversation, the opening that with its answer; null where there is none, and in all rows when
    no conversation goes on after the first answer. `sources` lists the values of `group_by`: a row that was merged with others on
    import has theirs too.
    """
    turns = "list_filter(r.messages, lambda turn: turn.role <> 'system')"
    question, opening = "NULL::VARCHAR", "NULL::VARCHAR"
    if connection.execute(f"SELECT 1 FROM {relation} r WHERE len({turns}) > 2 LIMIT 1").fetchall():
        question = f"{turns}[1].content"
        opening = f"CASE WHEN len({turns}) >= 2 THEN concat({turns}[1].content, chr(10), {turns}[2].content) END"
    sources, merged = "NULL::VARCHAR[]", ""
    if group_by is not None:
        pointer = quoted(_pointer(group_by))
        sources = f"list_filter(list_prepend(json_extract_string(r.meta, {pointer}), m.more), lambda value: value <> '')"
        merged = f"""LEFT JOIN (SELECT record, list(DISTINCT json_extract_string(meta, {pointer})) AS more FROM source_rows
                                WHERE meta IS NOT NULL GROUP BY record) m ON m.record = coalesce(r.edited_from, r.id)"""
    return connection.sql(
        f"""SELECT r.id, r.prompt, r.answer, {question} AS question, {opening} AS opening, {sources} AS sources {extra}
            FROM {relation} r {merged} ORDER BY r.id"""
    ).to_arrow_table()


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

    prompts = _letters(columns.column("prompt"))
    openings = pc.fill_null(columns.column("opening"), "")
    questions = _letters(pc.fill_null(columns.column("question"), ""))
    keys = {
        "equal_text": np.asarray(exact_groups(_compared_text(columns)), np.int64),
        "equal_prompt": np.where(_shorter(prompts, 1), -1, exact_groups(prompts)),
        "equal_question": _without_common(np.where(_shorter(questions, _OPENING_CHARACTERS), -1, exact_groups(questions))),
        "equal_opening": np.where(_shorter(openings, _OPENING_CHARACTERS), -1, exact_groups(openings)),
    }
    return keys if group_by is None else keys | {f"same_{group_by}": _same_source(columns.column("sources").combine_chunks())}


def _shorter(texts: pa.ChunkedArray, characters: int) -> np.ndarray:
    return pc.less(pc.utf8_length(texts), characters).to_numpy()


def _without_common(first: np.ndarray) -> np.ndarray:
    """The key without values that so many rows share that they are a template."""
    tied = first >= 0
    rows_of_value = np.bincount(first[tied], minlength=len(first))
    is_common = rows_of_value[np.where(tied, first, 0)] > _most_alike(len(first))
    return np.where(is_common, -1, first)


def _most_alike(rows: int) -> int:
    return max(MOST_ALIKE[0], int(MOST_ALIKE[1] * rows))


def _same_source(sources: pa.ListArray) -> np.ndarray:
    """The index of the first row that shares a source, directly or through a row that has several; -1 for a row without any."""
    row = pc.list_parent_indices(sources).to_numpy().astype(np.int64)
    first = first_equal(pc.list_flatten(sources))
    group = leak_groups(len(sources), pairs=[(row[first], row)])
    has_source = np.zeros(len(sources), bool)
    has_source[row] = True
    return np.where(has_source, group, -1)


def search_near_pairs(columns: pa.Table, seed: int, emit: Callable[..., None]) -> NearTies:
    """Pairs of nearly equal rows. Another seed is another independent search: what one misses near the limit, the next may find."""
    from pipelines.duplicates.near import near_pairs

    def pass_on(message: str | None = None, **numbers: object) -> None:
        emit(message=message, **{k: v for k, v in numbers.items() if k != "fraction"})

    found = near_pairs(_compared_text(columns), min_similarity=MIN_SIMILARITY, seed=seed, emit=pass_on)
    asked = near_pairs(columns.column("prompt").cast(pa.large_string()), min_similarity=MIN_PROMPT_SIMILARITY, seed=seed, emit=pass_on)
    alike, template_rows = _without_templates(asked.pairs, columns.num_rows)
    left, right = (np.concatenate([_side(pairs, side) for pairs in (found.pairs, alike)]) for side in ("left", "right"))
    return NearTies(left, right, found.capped_rows, template_rows)


def _side(pairs: pa.Table, side: str) -> np.ndarray:
    return pairs.column(side).to_numpy().astype(np.int64)


def _without_templates(pairs: pa.Table, rows: int) -> tuple[pa.Table, int]:
    """The pairs of nearly equal prompts without those of families so large that they are a template, and how many rows those have."""
    left, right = _side(pairs, "left"), _side(pairs, "right")
    family = leak_groups(rows, pairs=[(left, right)])
    sizes = np.bincount(family, minlength=rows)
    is_template = sizes > _most_alike(rows)
    return pairs.filter(pa.array(~is_template[family[left]])), int(sizes[is_template].sum())


def _letters(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """The letters and digits of texts alone: what punctuation and spacing cannot tell apart."""
    return pc.replace_substring_regex(texts.cast(pa.large_string()), r"[^\pL\pN\pM]+", "")


def question_groups(prompts: pa.ChunkedArray) -> np.ndarray:
    """int64, one per prompt: equal where two ask the same question, as splits are tied by."""
    from pipelines.duplicates.exact import exact_groups
    from pipelines.duplicates.near import near_pairs

    letters = _letters(prompts)
    first = np.where(pc.equal(letters, "").to_numpy(), -1, exact_groups(letters))
    pairs, _ = _without_templates(near_pairs(prompts, min_similarity=MIN_PROMPT_SIMILARITY).pairs, len(prompts))
    return leak_groups(len(prompts), pairs=[(_side(pairs, "left"), _side(pairs, "right"))], keys=[first])


def same_questions(prompts: pa.ChunkedArray, others: pa.ChunkedArray) -> np.ndarray:
    """bool, one per prompt: whether one of the others is the same question, as splits are tied by. Blank prompts are none."""
    from pipelines.duplicates.exact import exact_groups
    from pipelines.duplicates.near import near_pairs

    both = pa.chunked_array([*others.chunks, *prompts.chunks], pa.large_string())
    letters, count = _letters(both), len(others)
    is_same = np.asarray(exact_groups(letters))[count:] < count
    pairs, _ = _without_templates(near_pairs(both, min_similarity=MIN_PROMPT_SIMILARITY).pairs, len(both))
    crosses = (_side(pairs, "left") < count) & (_side(pairs, "right") >= count)
    is_same[_side(pairs, "right")[crosses] - count] = True
    return is_same & ~pc.equal(letters, "").to_numpy()[count:]


def equal_questions(prompts: pa.ChunkedArray, others: Iterable[pa.ChunkedArray]) -> np.ndarray:
    """bool, one per prompt: whether one of the others has the same letters and digits. Blank prompts have none.

    Of the others one batch is held in memory at a time.
    """
    from pipelines.duplicates.exact import first_equal, text_digests

    letters = _letters(prompts)
    digests = text_digests(letters)
    is_equal = np.zeros(len(prompts), bool)
    for batch in others:
        first = first_equal(np.concatenate([text_digests(_letters(batch)), digests]))
        is_equal |= first[len(batch) :] < len(batch)
    return is_equal & ~pc.equal(letters, "").to_numpy()


def _compared_text(columns: pa.Table) -> pa.ChunkedArray:
    """What is compared, as in a scan: the prompt and the answer, without the system prompt that many rows share."""
    prompt, answer = (columns.column(name).cast(pa.large_string()) for name in ("prompt", "answer"))
    return pc.binary_join_element_wise(prompt, answer, pa.scalar("\n\n", pa.large_string()))
