import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.clusters import build_map
from pipelines.clusters import layout as layout_module
from pipelines.clusters.assignment import assign
from pipelines.clusters.layout import lay_out
from pipelines.clusters.names import name_clusters
from pipelines.errors import Cancelled

TOPICS = {
    "card": "my card was lost and i need a new card|where is the card that i ordered|the card does not work at the shop|a card payment was declined",
    "certificate": "the certificate for my page is not valid|the padlock is missing and the certificate expired|renew the certificate for https|which certificate does https need",
    "invoice": "the invoice shows the wrong amount|please send the invoice again|i paid the invoice twice|the invoice has no tax number",
    "password": "i forgot my password|how do i reset the password|the password reset mail never came|my new password is refused",
}
TEXTS = [text for texts in TOPICS.values() for text in texts.split("|")]


def directions(count, *, around, spread=0.1, seed=0):
    """Unit vectors near that many axes in turn, `count` around each."""
    rng = np.random.default_rng(seed)
    vectors = np.repeat(np.eye(8, dtype=np.float32)[:around], count, axis=0) + spread * rng.standard_normal((around * count, 8)).astype(
        np.float32
    )
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_rows_about_the_same_thing_are_one_cluster_named_after_it():
    table, clusters = build_map(TEXTS, directions(4, around=4), [f"r{i}" for i in range(16)], seed=0)
    assert table.schema == pa.schema([("id", pa.string()), ("cluster", pa.int32()), ("x", pa.float32()), ("y", pa.float32())])
    assert table["id"].to_pylist() == [f"r{i}" for i in range(16)]
    label = table["cluster"].to_numpy()
    by_number = {c["cluster"]: c for c in clusters}
    # sixteen rows give two clusters: whole topics together
    for start in range(0, 16, 4):
        assert len(set(label[start : start + 4])) == 1
    assert [c["cluster"] for c in clusters] == list(range(len(clusters)))
    assert [c["size"] for c in clusters] == sorted((c["size"] for c in clusters), reverse=True) == np.bincount(label).tolist()
    for start, topic in zip(range(0, 16, 4), TOPICS, strict=True):
        topics = [t for s, t in zip(range(0, 16, 4), TOPICS, strict=True) if label[s] == label[start]]
        assert any(t in by_number[label[start]]["name"] for t in topics), (topic, clusters)


def test_names_say_what_sets_a_cluster_apart():
    names = name_clusters(pa.array(TEXTS), np.repeat([0, 1, 2, 3], 4), seed=0)
    assert [name.split(",")[0] for name in names] == ["card", "certificate", "invoice", "password"]
    assert "https" in names[1]


def test_names_are_words_a_person_reads_in_each_language():
    groups = {
        "rechnung": ["Die Rechnung ist nicht da", "Ich habe die Rechnung bezahlt", "Wo ist meine Rechnung?"],
        "facture": ["La facture est fausse", "Je n'ai pas reçu la facture", "Ma facture et mon reçu"],
        "人工智能": ["请解释人工智能的概念", "人工智能有什么用", "介绍人工智能和它的应用"],
        "天气": ["今天天气怎么样", "明天的天气预报", "天气很好"],
        "пароль": ["Я забыл пароль", "Мой пароль не подходит", "Как сменить пароль?"],
    }
    names = name_clusters(pa.array([t for texts in groups.values() for t in texts]), np.repeat(range(5), 3), seed=0)
    for word, name in zip(groups, names, strict=True):
        assert word in name.split(", "), (word, name)


def test_a_word_everybody_uses_names_nobody():
    texts = [f"help about {topic}" for topic in ("wine wine", "wine", "wine glass", "tax", "tax form", "tax office")]
    assert all("help" not in name.split(", ")[0] for name in name_clusters(pa.array(texts), np.array([0, 0, 0, 1, 1, 1]), seed=0))


def test_one_word_in_two_forms_is_named_once():
    texts = ["charge charging charged card cards", "charge charging charged card", "a fine day", "a fine evening"]
    name = name_clusters(pa.array(texts), np.array([0, 0, 1, 1]), seed=0)[0]
    assert sum(word.startswith("charg") for word in name.split(", ")) == 1


@given(st.lists(st.tuples(st.text(max_size=15), st.integers(0, 3)), min_size=1, max_size=12))
def test_every_cluster_has_a_name_of_its_own(rows):
    _, label = np.unique([number for _, number in rows], return_inverse=True)
    names = name_clusters(pa.array([text for text, _ in rows], pa.large_string()), label, seed=0)
    assert len(names) == label.max() + 1 == len(set(names))
    assert all(name.strip() for name in names)


@pytest.mark.parametrize("count", range(6))
def test_tiny_sets_have_a_map(count):
    table, clusters = build_map(["a"] * count, directions(1, around=5)[:count], [str(i) for i in range(count)])
    assert table.num_rows == count == sum(c["size"] for c in clusters)
    places = np.column_stack([table["x"], table["y"]])
    assert np.isfinite(places).all()
    assert len(np.unique(places, axis=0)) == count


@pytest.mark.parametrize("count", [2, 3, 40, 500])
def test_rows_that_are_all_the_same_are_one_cluster_spread_around_one_point(count):
    vectors = np.tile(directions(1, around=1), (count, 1))
    table, clusters = build_map(["the same"] * count, vectors, [str(i) for i in range(count)])
    assert [c["size"] for c in clusters] == [count]
    places = np.column_stack([table["x"], table["y"]])
    assert np.isfinite(places).all()
    assert len(np.unique(places, axis=0)) == count


def test_two_kinds_of_copies_are_two_clusters():
    table, clusters = build_map(
        ["one"] * 30 + ["two"] * 20, np.repeat(directions(1, around=2), [30, 20], axis=0), [str(i) for i in range(50)]
    )
    assert [c["size"] for c in clusters] == [30, 20]
    assert table["cluster"].to_pylist() == [0] * 30 + [1] * 20


def test_rows_that_hardly_differ_are_one_cluster():
    assert set(assign(directions(100, around=1, spread=0.01), seed=0)) == {0}


def test_a_row_unlike_all_others_joins_the_nearest_cluster():
    vectors = np.concatenate([directions(100, around=2, spread=0.02), directions(1, around=8)[6:]])
    assert np.bincount(assign(vectors, seed=0)).min() >= 15  # of 202 rows in up to 7 clusters


def test_clusters_of_the_same_words_have_different_names():
    names = name_clusters(pa.array(["blue wine glass"] * 6), np.array([0, 0, 1, 1, 2, 2]), seed=0)
    assert len(set(names)) == 3


@given(st.integers(1, 60), st.integers(1, 5), st.sampled_from([0.0, 0.05, 1.0]), st.integers(0, 9))
@settings(max_examples=25)
def test_any_set_gets_finite_places_and_clusters_of_a_readable_size(count, around, spread, seed):
    vectors = directions(count, around=around, spread=spread, seed=seed)
    label = assign(vectors, seed=seed)
    sizes = np.bincount(label)
    assert sizes.tolist() == sorted(sizes.tolist(), reverse=True)
    assert sizes.min() >= min(3, len(vectors)) or len(sizes) == 1
    places = lay_out(vectors, seed=seed)
    assert places.shape == (len(vectors), 2)
    assert places.dtype == np.float32
    assert np.isfinite(places).all()
    assert np.abs(places).max() <= 1.0


def test_the_same_seed_gives_the_same_map(monkeypatch):
    monkeypatch.setattr(layout_module, "LANDMARKS", 60)
    vectors = directions(40, around=4, spread=0.3)
    one, other = (build_map(["text"] * 160, vectors, [str(i) for i in range(160)], seed=3) for _ in range(2))
    assert one[0].equals(other[0])
    assert one[1] == other[1]


def test_similar_rows_lie_together_also_when_they_are_no_landmarks(monkeypatch):
    monkeypatch.setattr(layout_module, "LANDMARKS", 80)
    vectors = directions(60, around=5)
    places = lay_out(vectors, seed=0)
    group = np.repeat(range(5), 60)
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    assert (group[distance.argmin(axis=1)] == group).mean() > 0.98


def test_cancelling_ends_the_work_and_progress_only_grows():
    fractions = []

    def emit(fraction, **_):
        fractions.append(fraction)
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        build_map(TEXTS, directions(4, around=4), [str(i) for i in range(16)], emit=emit)
    assert fractions == sorted(fractions)
    assert not math.isnan(sum(fractions))


SHARED = Path(__file__).resolve().parents[2] / "shared" / "datasets"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data sets are not beside the checkout")
def test_clusters_of_bank_questions_are_named_by_their_subject():
    import csv

    from pipelines.features.encoders import spell

    with (SHARED / "banking77_test.csv").open(encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)][:800]
    vectors = spell(texts, 256)
    names = name_clusters(pa.array(texts), assign(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), seed=0), seed=0)
    assert (
        sum(any(word in name for word in ("card", "top", "exchange", "transfer", "cash", "pin", "fee")) for name in names) >= len(names) / 2
    )
