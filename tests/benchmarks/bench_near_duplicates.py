"""Near duplicates: time, precision and recall of `near_pairs` on rows with planted copies, beside datasketch if it is installed.

Run: python tests/benchmarks/bench_near_duplicates.py [--rows 10000 100000] [--threshold 0.5] [--runs 3]
Both sides use runs of three words and 32 bands of 4. Recall: of the planted copies whose exact Jaccard similarity with their original
is at the threshold or above, the share that ends in its group. Precision: of the listed pairs, the share that is at the threshold.
Times are medians, after one warm-up call, from texts in memory (Arrow here, str there) to scored pairs. On a shared machine trust the ratio, not the seconds.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import statistics
import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from pipelines.duplicates.groups import components
from pipelines.duplicates.near import near_pairs

EDITS = (0.02, 0.03, 0.05, 0.08, 0.10)
BANDS, ROWS = 32, 4
Pairs = tuple[np.ndarray, np.ndarray]


def planted(count: int, seed: int = 7) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Texts of 60 to 330 words with shared stock sentences, one in four a copy; each row's original (or -1) and share of edited words."""
    rng = np.random.default_rng(seed)
    syllables = ["ba", "ren", "to", "mis", "lo", "ka", "ter", "in", "ous", "ple", "di", "an"]
    vocabulary = ["".join(syllables[i] for i in rng.integers(12, size=rng.integers(1, 5))) + "x" * (n % 7) for n in range(40_000)]
    frequency = 1.0 / (np.arange(len(vocabulary)) + 3.0)
    cumulative = np.cumsum(frequency / frequency.sum())

    def draw(number: int) -> np.ndarray:
        return np.minimum(np.searchsorted(cumulative, rng.random(number)), len(vocabulary) - 1).astype(np.int32)

    stock = [draw(int(rng.integers(8, 20))) for _ in range(2_000)]
    texts: list[np.ndarray] = []
    for _ in range(count - count // 4):
        sentences = [stock[i] for i in (rng.pareto(1.0, rng.integers(0, 4)) * 20).astype(int) % len(stock)]
        texts.append(np.concatenate([draw(int(np.clip(rng.lognormal(5.0, 0.35), 60, 280))), *sentences]))
    originals, edits = np.full(count, -1), np.zeros(count)
    for row in range(len(texts), count):
        originals[row] = rng.integers(count - count // 4)
        edits[row] = rng.choice(EDITS) if rng.random() < 0.6 else 0.0
        texts.append(_edited(texts[originals[row]], edits[row], draw, rng))
    order = rng.permutation(count)
    place = np.empty(count, dtype=np.int64)
    place[order] = np.arange(count)
    joined = []
    for row in order:
        text = " ".join([vocabulary[i] for i in texts[row]])
        in_another_hand = originals[row] >= 0 and edits[row] == 0 and row % 2
        joined.append(text.upper().replace(" ", "  ", 9) if in_another_hand else text)
    return joined, np.where(originals[order] >= 0, place[originals[order]], -1), edits[order]


def _edited(text: np.ndarray, share: float, draw: Callable[[int], np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """A copy with that share of its words replaced, inserted or removed, a third each."""
    replaced, inserted, removed = np.array_split(rng.choice(len(text), round(share * len(text)), replace=False), 3)
    copy = text.copy()
    copy[replaced] = draw(len(replaced))
    keep = np.ones(len(copy), dtype=bool)
    keep[removed] = False
    return np.insert(copy[keep], np.minimum(inserted, keep.sum()), draw(len(inserted)))


def shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return set(zip(words, words[1:], words[2:], strict=False))


def jaccard(one: str, other: str) -> float:
    a, b = shingles(one), shingles(other)
    return len(a & b) / len(a | b)


def ours(texts: pa.ChunkedArray, threshold: float) -> Pairs:
    pairs = near_pairs(texts, min_similarity=threshold, bands=BANDS, rows=ROWS).pairs
    return pairs["left"].to_numpy(), pairs["right"].to_numpy()


def with_datasketch(texts: list[str], threshold: float) -> Pairs:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(params=(BANDS, ROWS), num_perm=BANDS * ROWS)
    hashes = []
    for row, text in enumerate(texts):
        words = text.lower().split()
        sketch = MinHash(num_perm=BANDS * ROWS)
        sketch.update_batch([" ".join(run).encode() for run in set(zip(words, words[1:], words[2:], strict=False))])
        hashes.append(sketch)
        index.insert(row, sketch, check_duplication=False)
    found = [(row, other) for row, sketch in enumerate(hashes) for other in index.query(sketch) if row < other]
    kept = [(a, b) for a, b in found if hashes[a].jaccard(hashes[b]) >= threshold]
    return np.array([a for a, _ in kept], dtype=np.int64), np.array([b for _, b in kept], dtype=np.int64)


def score(texts: list[str], originals: np.ndarray, edits: np.ndarray, pairs: Pairs, threshold: float) -> dict[str, float]:
    """Precision and recall, and recall per share of edited words (whatever the similarity)."""
    left, right = pairs
    label = components(len(texts), left, right)
    copies = np.flatnonzero(originals >= 0)
    together = label[copies] == label[originals[copies]]
    due = np.array([jaccard(texts[row], texts[originals[row]]) >= threshold for row in copies])
    looked_at = np.random.default_rng(0).permutation(len(left))[:5_000]
    right_ones = [jaccard(texts[left[i]], texts[right[i]]) >= threshold for i in looked_at]
    by_edit = {f"edit {edit:.0%}": float(together[edits[copies] == edit].mean()) for edit in (0.0, *EDITS)}
    return {"precision": float(np.mean(right_ones)), "recall": float(together[due].mean())} | by_edit


def measure(name: str, search, column, texts, originals, edits, threshold: float, runs: int) -> float:
    """Median seconds of search(column, threshold); `texts` are the same as a list, for the scores."""
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        pairs = search(column, threshold)
        seconds.append(time.perf_counter() - started)
    scores = "  ".join(f"{key} {value:.4f}" for key, value in score(texts, originals, edits, pairs, threshold).items())
    print(f"  {name:<11} {statistics.median(seconds):8.2f} s   {len(pairs[0]):,} pairs   {scores}", flush=True)
    return statistics.median(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--threshold", type=float, default=0.5)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    started = time.perf_counter()
    ours(pa.chunked_array([["one two three four", "One two three four.", "é"]]), options.threshold)
    print(f"first call (compiles, or loads what was compiled before): {time.perf_counter() - started:.1f} s")
    has_datasketch = importlib.util.find_spec("datasketch") is not None
    if not has_datasketch:
        print("datasketch is not installed: no comparison (pip install datasketch)")
    for count in options.rows:
        texts, originals, edits = planted(count)
        print(f"{count:,} rows, {sum(map(len, texts)) / 1e6:.0f} MB, similarity >= {options.threshold}")
        case = (texts, originals, edits, options.threshold)
        mine = measure("winnow", ours, pa.chunked_array([texts], type=pa.large_string()), *case, options.runs)
        if has_datasketch:
            theirs = measure("datasketch", with_datasketch, texts, *case, 1)
            print(f"  datasketch takes {theirs / mine:.0f} times as long")


if __name__ == "__main__":
    main()
