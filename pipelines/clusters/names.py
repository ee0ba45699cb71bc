"""Names: the few words that set a cluster apart from the others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from math import log, sqrt
from typing import TYPE_CHECKING

from pipelines.clusters.stop_words import FUNCTION_CHARACTERS, stop_words

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

ROWS_PER_CLUSTER = 400
"""Names are read from so many rows of each cluster at most, drawn by seed."""
CHARACTERS_PER_ROW = 1_000
_WORDS_IN_A_NAME = 3
_SMALLEST_SHARE = 0.04
"""Of a cluster's rows that a word of its name occurs in, at least; and in two rows."""
_CLEARLY = log(8)
"""A word that is this much likelier than elsewhere needs no more to be typical; one that is not is pushed back."""
_WORD = re.compile(r"[^\W\d_](?:[\w+#]|['’-](?=\w))*", re.UNICODE)
_IDEOGRAPHS = re.compile("[\u3005\u30fc\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3041-\u309f\u30a0-\u30fa]+")
_SPACELESS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+")
_HIRAGANA_ONLY = re.compile("[\u3041-\u309f\u30fc]+")


def name_clusters(texts: pa.ChunkedArray | pa.Array, cluster: np.ndarray, *, seed: int) -> list[str]:
    """A name for each cluster number from 0: up to three words or pairs of words, such as "certificate, https, padlock".

    A word counts by how much likelier a row of the cluster is to hold it than any other row, and how sure that is (log odds over
    their standard error). Never empty, never twice the same.
    """
    rows_by_cluster = _drawn_rows(cluster, seed)
    terms = [[set(_terms(text)) for text in _read(texts, rows)] for rows in rows_by_cluster]
    within = [Counter(term for row in rows for term in row) for rows in terms]
    overall: Counter[str] = Counter()
    for counts in within:
        overall.update(counts)
    total = sum(map(len, terms))
    names: list[str] = []
    for number, counts in enumerate(within):
        ranked = _ranked(counts, overall, len(terms[number]), total)
        names.append(_unused(_picked(ranked, counts), number, names))
    return names


def _drawn_rows(cluster: np.ndarray, seed: int) -> list[np.ndarray]:
    import numpy as np

    random = np.random.Generator(np.random.PCG64(seed))
    rows = [np.flatnonzero(cluster == number) for number in range(int(cluster.max()) + 1 if len(cluster) else 0)]
    return [np.sort(random.permutation(r)[:ROWS_PER_CLUSTER]) if len(r) > ROWS_PER_CLUSTER else r for r in rows]


def _read(texts: pa.ChunkedArray | pa.Array, rows: np.ndarray) -> list[str]:
    return [(texts[int(row)].as_py() or "")[:CHARACTERS_PER_ROW] for row in rows]


def _terms(text: str) -> Iterable[str]:
    """Words that are not stop words, pairs of such words that stand together, and short runs of characters of spaceless scripts."""
    folded = text.lower()
    for pattern, sizes in ((_IDEOGRAPHS, (2, 3, 4)), (_SPACELESS, (4, 6, 8))):
        for run in pattern.findall(folded):
            for size in sizes:
                for start in range(len(run) - size + 1):
                    term = run[start : start + size]
                    if not FUNCTION_CHARACTERS.intersection(term) and not _HIRAGANA_ONLY.fullmatch(term):
                        yield term
        folded = pattern.sub(" \n ", folded)
    before, end = "", -2
    for match in _WORD.finditer(folded):
        word = match.group().replace("’", "'").removesuffix("'s")
        if word in stop_words() or len(word) < 3:
            before = ""
            continue
        yield word
        if before and folded[end : match.start()] == " ":
            yield f"{before} {word}"
        before, end = word, match.end()


def _ranked(within: Counter[str], overall: Counter[str], rows: int, total: int) -> list[str]:
    """Terms of a cluster from the most telling down."""
    others = max(total - rows, 1)
    fewest = max(2, _SMALLEST_SHARE * rows) if rows > 2 else 1

    def certainty(term: str) -> float:
        inside, outside = within[term] + 0.5, overall[term] - within[term] + 0.5
        odds = log(inside / (rows - within[term] + 0.5)) - log(outside / (others - outside + 1.0))
        return min(odds, _CLEARLY) * odds / sqrt(1 / inside + 1 / outside)

    frequent = [term for term in within if within[term] >= fewest] or list(within)
    return sorted(frequent, key=lambda term: (-round(certainty(term), 6), -within[term], -len(term), term))


def _picked(ranked: list[str], within: Counter[str]) -> list[str]:
    """Terms in order, without those that repeat an earlier one; a pair stands for its word where it is most of the word's use."""
    picked: list[str] = []
    for term in ranked[:200]:
        longer = next((t for t in ranked[:200] if term != t and _holds(t, term) and within[t] >= 0.7 * within[term]), term)
        if not any(_repeats(longer, earlier) for earlier in picked):
            picked.append(longer)
    return picked


def _holds(longer: str, shorter: str) -> bool:
    return shorter in longer.split() if " " in longer else bool(_IDEOGRAPHS.match(longer) or _SPACELESS.match(longer)) and shorter in longer


def _repeats(term: str, earlier: str) -> bool:
    """Whether two terms share a word, or forms of one word (card and cards, charge and charging), or characters of a spaceless script."""
    if _IDEOGRAPHS.match(term) or _SPACELESS.match(term):
        return bool(set(term) & set(earlier)) if _IDEOGRAPHS.match(term) else term[:4] in earlier or earlier[:4] in term
    return any(_same_stem(word, other) for word in term.split() for other in earlier.split())


def _same_stem(word: str, other: str) -> bool:
    shared = next((i for i, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))
    return (
        shared >= max(3, min(len(word), len(other), 6) - 1)
        and abs(len(word) - len(other)) <= 4
        and shared >= 0.6 * max(len(word), len(other))
    )


def _unused(terms: list[str], number: int, names: list[str]) -> str:
    """The first words that no other name consists of."""
    for length in range(_WORDS_IN_A_NAME, max(len(terms), _WORDS_IN_A_NAME) + 1):
        name = ", ".join(terms[:length])
        if name and name not in names:
            return name
    return f"{', '.join(terms[:_WORDS_IN_A_NAME]) or 'Rows without words'} ({number + 1})"
