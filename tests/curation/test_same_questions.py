"""Questions that are the same but for a sign or a word stay in one split, and templates do not tie everything together."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.curation.recipe import Recipe
from pipelines.curation.snapshot import build_snapshot
from pipelines.curation.ties import same_questions
from pipelines.sources.ingest import import_source
from pipelines.store.project import Project

NOUNS = (
    "lamp",
    "chair",
    "garden",
    "letter",
    "engine",
    "harbour",
    "violin",
    "glacier",
    "ticket",
    "planet",
    "sandwich",
    "bridge",
    "candle",
    "falcon",
)


def question(n):
    first, second, third = NOUNS[n % 14], NOUNS[n // 14 % 14], NOUNS[(n * 5 + 3) % 14]
    return f"What should a visitor number {n} know who wants to bring a {first} and a {second} into the {third} hall on the day {n}"


def splits(tmp_path, rows):
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    project = Project.create(tmp_path / "project")
    import_source(project, tmp_path / "rows.jsonl")
    snapshot = build_snapshot(project, Recipe(), lambda **_: None)
    folder = project.snapshots_folder / snapshot["id"]
    found = {}
    for name in ("train", "validation", "test"):
        for record in pq.read_table(folder / f"{name}.parquet").to_pylist():
            found[record["answer"]] = name
    return found, snapshot


@pytest.mark.parametrize("change", ["{}?", "Please: {}", "{} #4711", "{}!!"])
def test_a_question_changed_by_a_sign_or_a_word_stays_with_its_twin(tmp_path, change):
    rows = [{"question": question(n), "answer": f"First {n}, by the door."} for n in range(150)]
    rows += [{"question": change.format(question(n)), "answer": f"Another {n}: at noon, alone."} for n in range(150)]
    found, manifest = splits(tmp_path, rows)
    assert [n for n in range(150) if found[f"First {n}, by the door."] != found[f"Another {n}: at noon, alone."]] == []
    assert len(set(found.values())) == 3


def test_a_conversation_and_its_continuation_stay_together(tmp_path):
    begun = [
        [{"role": "user", "content": question(n)}, {"role": "assistant", "content": f"Answer {n}: by the southern door."}]
        for n in range(120)
    ]
    more = [
        [*turns, {"role": "user", "content": f"And for {n} friends?"}, {"role": "assistant", "content": f"The same, {n} times."}]
        for n, turns in enumerate(begun)
    ]
    found, _ = splits(tmp_path, [{"messages": turns} for turns in begun + more])
    assert [n for n in range(120) if found[f"Answer {n}: by the southern door."] != found[f"The same, {n} times."]] == []


def test_a_template_with_other_contents_ties_nothing(tmp_path):
    task = "Read the message of the customer below and say in one word which department should look after it, without any further remark or greeting: "
    rows = [
        {"question": f"{task}number {n}", "answer": " ".join(f"{noun}{n * 31 + i * 7}" for i, noun in enumerate(NOUNS * 3))}
        for n in range(300)
    ]
    found, manifest = splits(tmp_path, rows)
    assert set(found.values()) == {"train", "validation", "test"}
    assert manifest["certificate"]["template_rows"] == 300


def test_questions_that_were_trained_on_are_known_again():
    trained = pa.chunked_array([pa.array([question(n) for n in range(60)], pa.large_string())])
    asked = [f"{question(3)}!", f"Please, {question(4)}", "What is the capital of France?", "", question(5).upper()]
    assert same_questions(pa.chunked_array([pa.array(asked, pa.large_string())]), trained).tolist() == [True, True, False, False, True]
