import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import models
from pipelines.errors import Cancelled, WorkbenchError
from pipelines.features import embeddings, encoders
from pipelines.features.embeddings import encode
from pipelines.features.encoders import Encoder, choose_encoder, spell

ROOT = Path(__file__).resolve().parents[2]


class LetterCounts:
    """An encoder whose vectors are the numbers of each small letter, and which remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def encode(self, texts):
        self.asked += texts
        return np.array([[text.count(letter) for letter in "abcdefgh"] for text in texts], dtype=np.float32)

    def unknown_share(self, texts):
        return [sum(ord(c) > 0x3000 for c in text) / max(len(text), 1) for text in texts]

    def loaded(self, name):
        return Encoder(self.encode, self.unknown_share, batch=2, part=4)


@pytest.fixture
def letters(monkeypatch):
    fake = LetterCounts()
    monkeypatch.setattr(embeddings, "load_encoder", fake.loaded)
    return fake


def test_vectors_stand_in_the_order_of_the_texts(letters, tmp_path):
    vectors = encode(["aab", "h", "aab", "ccccc"], encoder="fake", cache=tmp_path)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert vectors.argmax(axis=1).tolist() == [0, 7, 0, 2]
    assert np.allclose(vectors[0, :2], np.array([2, 1]) / 5**0.5, atol=1e-3)
    assert (vectors[0] == vectors[2]).all()


def test_each_different_text_is_encoded_once_ever(letters, tmp_path):
    texts = ["ab", "cd", "ab", "ef", "cd", "gh", "a"]
    first = encode(texts, encoder="fake", cache=tmp_path)
    assert sorted(letters.asked) == sorted(set(texts))
    again = encode(texts, encoder="fake", cache=tmp_path)
    assert sorted(letters.asked) == sorted(set(texts))
    assert (first == again).all()
    more = encode(["new b", *texts], encoder="fake", cache=tmp_path)
    assert letters.asked[-1] == "new b"
    assert len(letters.asked) == len(set(texts)) + 1
    assert (more[1:] == first).all()


def test_encoders_do_not_share_vectors(letters, tmp_path):
    encode(["ab"], encoder="one", cache=tmp_path)
    encode(["ab"], encoder="org/one", cache=tmp_path)
    assert letters.asked == ["ab", "ab"]
    assert len(list(tmp_path.iterdir())) == 2


def test_an_encoder_folder_that_changed_has_vectors_of_its_own(letters, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for weights in (b"first", b"other"):
        (folder / "model.safetensors").write_bytes(weights)
        encode(["ab"], encoder=str(folder), cache=tmp_path / "cache")
    assert letters.asked == ["ab", "ab"]


@given(st.lists(st.sampled_from(["a", "bb", "abc", "é", "", "gh", "hhh", "猫猫", "cafe"]), max_size=14), st.integers(1, 5))
@settings(max_examples=30)
def test_columns_lists_and_chunks_give_the_same(texts, cut):
    fake = LetterCounts()
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(embeddings, "load_encoder", fake.loaded)
        parts = pa.chunked_array([texts[i : i + cut] for i in range(0, len(texts), cut)], type=pa.string())
        one = encode(texts, encoder="fake", cache=Path(folder) / "list")
        other = encode(parts, encoder="fake", cache=Path(folder) / "chunks")
        assert len(one) == len(texts)
        assert (one == other).all()
        for text, vector in zip(texts, one, strict=True):
            counts = np.array([text.count(letter) for letter in "abcdefgh"])
            assert not counts.any() or np.allclose(vector, counts / np.linalg.norm(counts), atol=1e-3)


def test_missing_texts_are_empty_texts(letters, tmp_path):
    vectors = encode(pa.array(["ab", None, ""]), encoder="fake", cache=tmp_path)
    assert (vectors[1] == vectors[2]).all()
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_no_texts_have_no_vectors(letters, tmp_path):
    assert len(encode([], encoder="fake", cache=tmp_path)) == 0
    assert letters.asked == []


def test_a_text_outside_the_vocabulary_is_compared_by_its_spelling(letters, tmp_path):
    vectors = encode(["a退款什么时候到账", "退款什么时候能到账", "a今天天气很好啊", "aab"], encoder="fake", cache=tmp_path)
    likeness = vectors @ vectors.T
    assert likeness[0, 1] > 0.5 > likeness[0, 2]
    assert np.allclose(vectors[3, :2], np.array([2, 1]) / 5**0.5, atol=1e-3)


def test_work_done_before_a_cancel_is_kept(letters, tmp_path):
    texts = ["a" * n + "b" for n in range(1, 11)]

    def emit(fraction, **_):
        if fraction > 0.6:
            raise Cancelled

    with pytest.raises(Cancelled):
        encode(texts, encoder="fake", cache=tmp_path, emit=emit)
    before = len(letters.asked)
    vectors = encode(texts, encoder="fake", cache=tmp_path)
    assert before == 8  # the second part of four was not finished
    assert sorted(letters.asked[before:]) == sorted(texts[4:])
    fresh = encode(texts, encoder="fake", cache=tmp_path / "other")
    assert (vectors == fresh).all()


def test_a_kill_between_vectors_and_keys_loses_one_part_only(tmp_path):
    """A process that dies while it writes: the part without keys does not count, and nothing is torn."""
    script = textwrap.dedent(f"""
        import os, sys
        from pathlib import Path
        sys.path.insert(0, {str(ROOT)!r})
        from tests.features.test_embeddings import LetterCounts
        from pipelines.features import embeddings
        embeddings.load_encoder = LetterCounts().loaded
        rename, seen = Path.rename, []
        def die_at_the_fourth(self, target):
            seen.append(target)
            if len(seen) == 4:
                os._exit(9)
            return rename(self, target)
        Path.rename = die_at_the_fourth
        embeddings.encode(["a" * n + "b" for n in range(1, 11)], encoder="fake", cache=Path({str(tmp_path)!r}))
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 9, done.stderr
    (folder,) = tmp_path.iterdir()
    assert len(list(folder.glob("*.vectors.npy"))) == 2
    assert len(list(folder.glob("*.keys.npy"))) == 1
    fake = LetterCounts()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embeddings, "load_encoder", fake.loaded)
        vectors = encode(["a" * n + "b" for n in range(1, 11)], encoder="fake", cache=tmp_path)
    assert len(fake.asked) == 6
    assert np.allclose(vectors[9, 0], 10 / 101**0.5, atol=1e-3)


def test_two_writers_of_the_same_text_do_not_disturb_each_other(letters, tmp_path):
    encode(["ab", "cd"], encoder="fake", cache=tmp_path)
    (folder,) = tmp_path.iterdir()
    keys = embeddings._keys(pa.chunked_array([["cd", "ef"]]))
    embeddings._write_part(folder, keys, np.eye(8, dtype=np.float16)[:2])  # another process came to "cd" with another part
    vectors = encode(["ef", "ab", "cd"], encoder="fake", cache=tmp_path)
    assert letters.asked == ["ab", "cd"]
    assert vectors[0].argmax() == 1
    assert (vectors == encode(["ef", "ab", "cd"], encoder="fake", cache=tmp_path)).all()


def test_numbers_that_are_not_finite_are_refused(letters, tmp_path, monkeypatch):
    monkeypatch.setattr(letters, "encode", lambda texts: np.full((len(texts), 8), np.nan, np.float32))
    with pytest.raises(WorkbenchError, match="not finite"):
        encode(["ab"], encoder="fake", cache=tmp_path)


def test_progress_only_grows_and_ends_at_one(letters, tmp_path):
    fractions = []
    encode([f"a{n}" for n in range(9)], encoder="fake", cache=tmp_path, emit=lambda fraction, **_: fractions.append(fraction))
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_small_sets_and_computers_with_a_gpu_get_the_transformer(monkeypatch):
    for gpu, rows, name in [
        (False, 700, models.ENCODER),
        (False, encoders.TRANSFORMER_ROWS, models.ENCODER),
        (False, encoders.TRANSFORMER_ROWS + 1, models.STATIC_ENCODER),
        (True, 1_000_000, models.ENCODER),
    ]:
        monkeypatch.setattr(encoders, "has_gpu", lambda gpu=gpu: gpu)
        assert choose_encoder(rows) == name


def test_choosing_an_encoder_does_not_load_torch():
    script = "import sys; from pipelines.features.embeddings import choose_encoder; choose_encoder(10); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@given(st.lists(st.text(max_size=6), min_size=1, max_size=4))
def test_every_text_can_be_spelled(texts):
    vectors = spell(texts, 64)
    assert vectors.any(axis=1).all()
    assert (vectors == spell(texts, 64)).all()


def test_an_encoder_that_cannot_be_had_is_named_with_a_next_step(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WorkbenchError, match=r"org/no-such-encoder could not be loaded.*all-minilm"):
        encode(["ab"], encoder="org/no-such-encoder", cache=tmp_path)


@pytest.mark.slow
def test_the_shipped_encoder_puts_the_same_question_in_other_words_nearest(tmp_path):
    texts = [
        "How do I reset my password?",
        "I forgot my login code and need a new one",
        "The invoice shows a wrong amount",
        "退款什么时候到账",
    ]
    vectors = encode(texts, encoder=models.ENCODER, cache=tmp_path)
    assert vectors.shape == (4, 384)
    likeness = vectors @ vectors.T
    assert likeness[0, 1] > likeness[0, 2] + 0.1
    assert abs(likeness[3, 0]) < 0.3


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_static_encoder_is_distilled_once_and_agrees_with_its_teacher(tmp_path, monkeypatch):
    monkeypatch.setenv("WINNOW_CACHE", str(tmp_path / "models"))
    questions = [
        "reset my password",
        "my password does not work",
        "card was stolen",
        "lost my bank card",
        "exchange rate for euro",
        "change dollars to euro",
    ]
    vectors = encode(questions, encoder=models.STATIC_ENCODER, cache=tmp_path / "cache")
    likeness = vectors @ vectors.T - 2 * np.eye(6)
    assert likeness.argmax(axis=1).tolist() == [1, 0, 3, 2, 5, 4]
    made = (tmp_path / "models" / models.STATIC_ENCODER / "model.safetensors").stat().st_mtime_ns
    encode(["another text"], encoder=models.STATIC_ENCODER, cache=tmp_path / "cache")
    assert (tmp_path / "models" / models.STATIC_ENCODER / "model.safetensors").stat().st_mtime_ns == made
