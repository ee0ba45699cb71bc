import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipelines.duplicates import kernels
from pipelines.duplicates.characters import alphabet
from pipelines.duplicates.exact import exact_groups
from pipelines.duplicates.near import near_pairs

ROOT = Path(__file__).resolve().parents[2]


def sketches(sets, places, seed):
    """The sketch of each set of 64-bit numbers."""
    scratch = np.empty(max(map(len, sets)), np.uint64)
    out = np.empty((len(sets), places), np.uint64)
    for numbers, sketch in zip(sets, out, strict=True):
        kernels._sketch(np.asarray(numbers, np.uint64), len(numbers), np.uint64(seed), scratch, sketch)
    return out


def agreement(shared, alone, *, pairs, places=128, structured=False):
    """Mean over random pairs of the share of places in which sketches agree, less the true similarity; and its spread."""
    rng = np.random.default_rng(3)
    gaps = []
    for pair in range(pairs):
        size = shared + 2 * alone
        numbers = (
            np.arange(pair * size, (pair + 1) * size, dtype=np.uint64) if structured else rng.integers(1, 1 << 63, size, dtype=np.uint64)
        )
        one, other = sketches([numbers[: shared + alone], np.r_[numbers[:shared], numbers[shared + alone :]]], places, seed=pair)
        gaps.append((one == other).mean() - shared / size)
    return float(np.mean(gaps)), float(np.std(gaps))


def test_sketches_agree_as_often_as_sets_are_similar():
    for structured in (False, True):
        for shared, alone in [(1, 1), (4, 4), (50, 50), (90, 5), (160, 20), (300, 350), (2000, 500)]:
            bias, spread = agreement(shared, alone, pairs=400, structured=structured)
            similarity = shared / (shared + 2 * alone)
            assert abs(bias) < 0.01, (shared, alone, structured)
            # never wider than 128 independent draws (with room for the error of 400 pairs)
            assert spread < 1.15 * np.sqrt(similarity * (1 - similarity) / min(128, shared + 2 * alone)) + 1e-9, (shared, alone, structured)


def test_a_sketch_has_no_empty_place_however_small_the_set():
    assert (sketches([[7]], 128, 0) != np.uint64(0xFFFFFFFFFFFFFFFF)).all()
    assert (sketches([[7], [7]], 128, 0)[0] == sketches([[7]], 128, 0)[0]).all()


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=60))
def test_the_fast_reader_of_ascii_finds_the_same_words(text):
    buffer = np.frombuffer(text.encode(), np.uint8)
    words, others = np.empty(len(buffer) + 1, np.uint64), np.empty(len(buffer) + 1, np.uint64)
    weights = np.empty(len(buffer) + 1, np.uint8)
    fast = kernels._read_ascii_words(buffer, 0, len(buffer), alphabet(), words)
    slow, only_words = kernels._read_words(buffer, 0, len(buffer), alphabet(), others, weights)
    assert only_words
    assert words[:fast].tolist() == others[:slow].tolist()


def test_each_kernel_is_compiled_once_whatever_the_texts():
    for column in (
        pa.array(["a b c d", "a b c d e"]),
        pa.array(["é", None, "猫猫猫猫猫猫猫", ""], pa.large_string()),
        pa.chunked_array([["x y z"], ["x y z é"]]),
    ):
        near_pairs(column)
        exact_groups(column)
    for kernel in (kernels.collapse, kernels.sketch_rows, kernels.distinct_shingles, kernels.similarities):
        assert len(kernel.signatures) == 1, kernel


def test_the_search_works_where_no_folder_can_be_written(tmp_path):
    """An installation that belongs to root, with no home: /proc refuses new folders even to root."""
    package = tmp_path / "pipelines"
    for source in (ROOT / "pipelines").rglob("*.py"):
        target = package / source.relative_to(ROOT / "pipelines")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    (package / "duplicates" / "__pycache__").write_text("a file where the folder of compiled code would be")
    script = """
import pyarrow as pa
from pipelines.duplicates.near import near_pairs
print(near_pairs(pa.array(["a b c d", "A b c d"])).pairs.num_rows)
"""
    environment = os.environ | {
        "HOME": "/proc/none",
        "XDG_CACHE_HOME": "/proc/none",
        "PYTHONPATH": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert done.stdout.strip() == "1", done.stderr
