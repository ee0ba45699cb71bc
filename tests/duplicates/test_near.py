import random
import subprocess
import sys
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.duplicates import near
from pipelines.duplicates.canonical import canonical
from pipelines.duplicates.near import near_pairs
from pipelines.errors import Cancelled
from pipelines.executor import Threads

SENTENCE = "please could you reset the card that i lost in paris last week because my bank says it will not work any more"
WORDS = SENTENCE.split()


def words_and_weights(text):
    """The definition in plain Python: words between white space and punctuation; Chinese, Japanese and Thai by the character."""
    found, word = [], ""
    for character in canonical(text) + " ":
        category = unicodedata.category(character)
        name = unicodedata.name(character, "")
        part = 2 if name.startswith(("CJK UNIFIED", "HIRAGANA", "KATAKANA")) else 1 if name.startswith("THAI") else 0
        if not part and (category[0] in "LMN" or character == "_"):
            word += character
            continue
        if word:
            found.append((word, 4))
            word = ""
        if part or character in "/%" or (category[0] == "S" and category != "Sk"):
            found.append((character, part or 4))
    return found


def shingles(text):
    words = words_and_weights(text)
    runs = set()
    for last in range(len(words)):
        first, weight = last + 1, 0
        while first > 0 and weight < 12:
            first -= 1
            weight += words[first][1]
        if weight >= 12:
            runs.add(tuple(w for w, _ in words[first : last + 1]))
    return runs or ({tuple(w for w, _ in words)} if words else set())


def jaccard(one, other):
    return len(one & other) / len(one | other) if one and other else 0.0


def listed(result):
    return {(row["left"], row["right"]): row["similarity"] for row in result.pairs.to_pylist()}


def edited(words, share, rng):
    """A copy with that share of the words replaced, removed or doubled."""
    copy = list(words)
    for position in rng.sample(range(len(copy)), max(1, round(share * len(copy)))):
        copy[position] = rng.choice([rng.choice(WORDS), "", copy[position] + " " + rng.choice(WORDS)])
    return " ".join(copy)


@given(
    st.lists(st.lists(st.sampled_from([*"abcDé猫+.-,", "\u0e01", "ß"]), max_size=14).map(" ".join), max_size=8),
    st.sampled_from([0.3, 0.5, 1.0]),
)
@settings(max_examples=200)
def test_every_listed_similarity_is_the_exact_one(texts, min_similarity):
    sets = [shingles(text) for text in texts]
    for (left, right), similarity in listed(near_pairs(pa.array(texts, pa.string()), min_similarity=min_similarity)).items():
        assert left < right
        assert similarity == jaccard(sets[left], sets[right]) >= min_similarity


@given(st.integers(0, 10_000))
@settings(max_examples=10)
def test_edited_copies_are_found(seed):
    rng = random.Random(seed)
    texts = [" ".join(rng.choices(WORDS, k=rng.randint(8, 120))) for _ in range(60)]
    texts += [edited(text.split(), rng.choice([0.01, 0.03, 0.06]), rng) for text in texts for _ in range(2)]
    rng.shuffle(texts)
    sets = [shingles(text) for text in texts]
    words = [tuple(words_and_weights(text)) for text in texts]
    expected = {
        (a, b): jaccard(sets[a], sets[b])
        for b in range(len(texts))
        for a in range(b)
        if words[a] not in words[:a] and words[b] not in words[:b] and jaccard(sets[a], sets[b]) >= 0.8
    }
    found = listed(near_pairs(pa.array(texts)))
    missed = [pair for pair in expected if pair not in found]
    assert len(expected) > 50
    assert len(missed) <= 0.005 * len(expected)
    assert all(found[pair] == similarity for pair, similarity in expected.items() if pair in found)


def test_texts_of_one_or_two_words_are_similar_only_to_their_equals():
    texts = ["Yes", "yes.", "no", "thank you", "Thank you!", "thank them", "", "...", None]
    assert listed(near_pairs(pa.array(texts))) == {(0, 1): 1.0, (3, 4): 1.0}


def test_copies_are_paired_with_the_first_of_them_only():
    text = "please reset the card that i lost in paris"
    assert listed(near_pairs(pa.array([text, "other words here", text.upper(), text + ".", text + " yesterday"]))) == {
        (0, 2): 1.0,
        (0, 3): 1.0,
        (0, 4): 7 / 8,
    }


def test_operators_tell_sums_apart_and_punctuation_does_not():
    found = listed(near_pairs(pa.array(["what is 3 + 4, please", "What is 3 + 4 (please)?", "what is 3 / 4 please"])))
    assert found[0, 1] == 1.0
    assert found.get((0, 2), 0) < 1.0


def test_texts_without_spaces_are_compared_by_characters():
    texts = ["请根据以下内容写一篇关于人工智能的文章", "请根据以下内容写一篇关于人工智能的短文", "今天天气很好我们去公园散步吧好不好呀"]
    assert listed(near_pairs(pa.array(texts))) == {(0, 1): 12 / 16}
    assert listed(near_pairs(pa.array(["你好", "你好。", "您好"]))) == {(0, 1): 1.0}


def test_words_in_other_scripts_are_folded_before_they_are_compared():
    texts = [
        "Die STRASSE nach Köln ist gesperrt",
        "die Straße nach Ko\u0308ln ist gesperrt",
        "Улица закрыта до утра",
        "УЛИЦА  закрыта до утра!",
    ]
    assert listed(near_pairs(pa.array(texts))) == {(0, 1): 1.0, (2, 3): 1.0}


@pytest.fixture(scope="module")
def many_texts():
    rng = random.Random(5)
    texts = [" ".join(rng.choices(WORDS, k=rng.randint(1, 60))) for _ in range(400)]
    texts += [edited(text.split(), 0.05, rng) + rng.choice(["", " café", " 北京市海淀区"]) for text in texts]
    return texts


def test_threads_and_chunks_change_nothing(many_texts, monkeypatch):
    monkeypatch.setattr(near, "_SKETCH_BYTES", 1000)  # many blocks, so that threads do mix
    monkeypatch.setattr(near, "_VERIFY_SHINGLES", 300)
    monkeypatch.setattr(near, "_MERGE_CODES", 50)
    whole = near_pairs(pa.array(many_texts, pa.large_string()), executor=Threads(1))
    assert whole.pairs.num_rows > 200
    for workers, chunk in [(2, 800), (2, 7), (3, 399)]:
        parts = [many_texts[i : i + chunk] for i in range(0, len(many_texts), chunk)]
        again = near_pairs(pa.chunked_array(parts, type=pa.string()), executor=Threads(workers))
        assert again == whole


def test_a_seed_changes_which_pairs_are_looked_at_but_not_what_is_said_of_them(many_texts):
    one, other = (listed(near_pairs(pa.array(many_texts), seed=seed)) for seed in (0, 1))
    assert all(one[pair] == other[pair] for pair in one.keys() & other.keys())
    assert {p for p, s in one.items() if s >= 0.9} == {p for p, s in other.items() if s >= 0.9}


def test_rows_of_a_template_stay_connected_and_the_cut_is_reported():
    from pipelines.duplicates.groups import components

    template = "this is a long standing reply that we send to every customer who asks about the order number"
    texts = [f"{template} {number}" for number in range(near.MAX_NEIGHBOURS * 3)]
    result = near_pairs(pa.array(texts))
    left, right = result.pairs["left"].to_numpy(), result.pairs["right"].to_numpy()
    assert set(components(len(texts), left, right)) == {0}
    assert result.candidates < len(texts) * (len(texts) - 1) / 2
    assert result.capped_buckets > 0
    assert result.capped_rows == len(texts)


def test_a_template_shared_by_very_many_rows_gives_fewer_pairs_each(monkeypatch):
    monkeypatch.setattr(near, "_CODES_PER_BAND", 1_000)
    template = "this is a long standing reply that we send to every customer who asks about the order number"
    result = near_pairs(pa.array([f"{template} {number}" for number in range(100)]))
    assert 99 < result.pairs.num_rows <= 100 * 32
    assert result.capped_rows == 100


def test_small_buckets_are_compared_in_full():
    template = "this is a long standing reply that we send to every customer who asks about the order number"
    texts = [f"{template} {number}" for number in range(near.MAX_NEIGHBOURS + 1)]
    result = near_pairs(pa.array(texts))
    assert result.pairs.num_rows == len(texts) * (len(texts) - 1) / 2
    assert (result.capped_buckets, result.capped_rows) == (0, 0)


def test_no_texts_give_no_pairs():
    for empty in (pa.array([], pa.string()), pa.chunked_array([], pa.large_string()), pa.array(["", None], pa.string())):
        result = near_pairs(empty)
        assert result.pairs.schema.names == ["left", "right", "similarity"]
        assert (result.pairs.num_rows, result.candidates) == (0, 0)


def test_a_threshold_out_of_range_is_refused():
    for wrong in (0.0, 1.5):
        with pytest.raises(ValueError, match="min_similarity"):
            near_pairs(pa.array(["a"]), min_similarity=wrong)


@pytest.mark.parametrize("after", [0, 1, 5])
def test_cancelling_ends_the_search_at_any_step(many_texts, after):
    heard = []

    def emit(**event):
        heard.append(event)
        if len(heard) > after:
            raise Cancelled

    with pytest.raises(Cancelled):
        near_pairs(pa.array(many_texts), emit=emit)
    assert len(heard) == after + 1


def test_progress_only_grows(many_texts):
    fractions = []
    near_pairs(pa.array(many_texts), emit=lambda fraction, **_: fractions.append(fraction))
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_importing_the_search_compiles_nothing():
    script = """
import sys, pipelines.duplicates.near, pipelines.duplicates.exact, pipelines.duplicates.groups
print("numba" in sys.modules, "numpy" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
