import json

import pyarrow.parquet as pq
import pytest

from pipelines.curation.decisions import Decision, bulk, decide, undo
from pipelines.curation.recipe import Recipe
from pipelines.curation.snapshot import (
    build_snapshot,
    diff_snapshots,
    list_snapshots,
    load_snapshot,
    snapshot_job,
    split_file,
    verify_snapshot,
)
from pipelines.errors import WorkbenchError
from pipelines.records import Message, Record
from pipelines.store.project import Project
from pipelines.store.tables import row_to_record
from tests.conftest import chat
from tests.curation.measured import measure, place

WORDS = ["river", "stone", "lamp", "garden", "window", "letter", "bridge", "winter", "salt", "engine", "mirror", "forest", "coin", "paper"]
PLAIN = Recipe(drop=())


def distinct(count):
    """Rows with hardly a word in common."""
    return [
        chat(f"question {WORDS[i % 14]} {i} {WORDS[(i * 5 + 3) % 14]}", f"answer {i} {WORDS[(i * 3 + 1) % 14]} {i * 7}")
        for i in range(count)
    ]


def rows_of(project, manifest, split):
    return pq.read_table(split_file(project, manifest["id"], split)).to_pylist()


def ids_of(project, manifest, *splits):
    return {row["id"] for split in splits or ("train", "validation", "test") for row in rows_of(project, manifest, split)}


def edit(record, answer):
    turns = [*record.messages[:-1], Message("assistant", answer)]
    return Decision(record.id, "edit", edit=[turn.to_json() for turn in turns])


def test_every_record_is_in_exactly_one_file(project, fill):
    ids = fill(project, distinct(20))
    decide(project, [Decision(ids[3], "drop", reason="wrong")])
    manifest = build_snapshot(project, PLAIN)
    assert (manifest["train"], manifest["validation"], manifest["test"], manifest["dropped"]) == (15, 2, 2, {"decision": 1})
    assert ids_of(project, manifest) == set(ids) - {ids[3]}
    (dropped,) = rows_of(project, manifest, "dropped")
    assert (dropped["id"], dropped["reason"], dropped["note"], dropped["decided_by"]) == (ids[3], "decision", "wrong", "human:local")


def test_rows_keep_all_that_is_trained_on(project, fill):
    records = [
        chat("a one", "b two", system="s", kept=1),
        Record(
            (Message("user", "c three"),), kind="preference", chosen=(Message("assistant", "d"),), rejected=(Message("assistant", "e"),)
        ),
        Record((Message("user", "f four"), Message("assistant", "g")), kind="unpaired", label=False),
        Record(
            (Message("user", "h five"), Message("assistant", "", tool_calls='[{"id":"1"}]'), Message("tool", "i", "n", None, "1")),
            tools="[]",
        ),
    ]
    fill(project, records)
    manifest = build_snapshot(project, Recipe(drop=(), split=(1.0, 0.0, 0.0)))
    rows = rows_of(project, manifest, "train")
    assert (
        {row_to_record(row) for row in rows} == set(records)
        if False
        else sorted(map(repr, map(row_to_record, rows))) == sorted(map(repr, records))
    )
    assert all(row_to_record(row).id == row["id"] for row in rows)
    assert [row["position"] for row in rows] == [0, 1, 2, 3]


def test_a_check_on_the_drop_list_drops_the_undecided_and_a_person_can_keep_them(project, fill):
    ids = fill(project, distinct(20))
    measure(project, "no_answer", {id: 1.0 if id in ids[:3] else 0.0 for id in ids})
    measure(project, "empty_turn", {id: 1.0 if id in ids[2:4] else 0.0 for id in ids})
    decide(project, [Decision(ids[0], "keep"), Decision(ids[1], "flag")])
    recipe = Recipe(drop=("no_answer", "empty_turn"))
    manifest = build_snapshot(project, recipe)
    assert manifest["dropped"] == {"empty_turn": 2, "no_answer": 1}
    by_id = {row["id"]: row for row in rows_of(project, manifest, "dropped")}
    assert by_id[ids[2]]["checks"] == ["empty_turn", "no_answer"], "the first by alphabet gives the reason, all are named"
    assert by_id[ids[1]]["reason"] == "no_answer", "a flag is no decision"
    assert ids[0] in ids_of(project, manifest)
    assert build_snapshot(project, Recipe(drop=("no_answer",), disabled=("no_answer",)))["dropped"] == {}


def test_undecided_rows_can_be_left_out(project, fill):
    ids = fill(project, distinct(12))
    decide(project, [Decision(id, "keep") for id in ids[:10]])
    manifest = build_snapshot(project, Recipe(drop=(), undecided="drop"))
    assert (manifest["kept"], manifest["dropped"]) == (10, {"undecided": 2})


def test_an_edit_replaces_the_text_and_remembers_the_id_before(project, fill):
    records = distinct(12)
    ids = fill(project, records)
    decide(project, [edit(records[0], "a better answer")])
    manifest = build_snapshot(project, PLAIN)
    assert manifest["edited"] == 1
    (row,) = [r for s in ("train", "validation", "test") for r in rows_of(project, manifest, s) if r["edited_from"]]
    assert (row["edited_from"], row["answer"]) == (ids[0], "a better answer")
    assert row["id"] == row_to_record(row).id != ids[0]


def test_an_edit_that_changes_nothing_is_no_edit(project, fill):
    records = distinct(12)
    fill(project, records)
    plain = build_snapshot(project, PLAIN)
    decide(project, [edit(records[0], records[0].answer)])
    after = build_snapshot(project, PLAIN)
    assert (after["edited"], after["decided"], plain["decided"]) == (0, 1, 0)
    assert ids_of(project, after) == ids_of(project, plain)


def test_rows_that_become_equal_by_an_edit_are_merged_and_counted(project, fill):
    records = [*distinct(12), chat("same question here", "one"), chat("same question here", "two"), chat("same question here", "three")]
    ids = fill(project, records)
    decide(project, [edit(records[13], "one"), edit(records[14], "four"), edit(records[11], "x"), edit(records[10], "y")])
    decide(project, [Decision(ids[10], "edit", edit=[m.to_json() for m in (*records[11].messages[:-1], Message("assistant", "x"))])])
    manifest = build_snapshot(project, PLAIN)
    assert manifest["dropped"] == {"duplicate_after_edit": 2}
    assert {row["id"] for row in rows_of(project, manifest, "dropped")} == {ids[13], ids[11]}, "what was imported first stays"
    assert manifest["kept"] == 13


def test_an_edited_preference_pair_keeps_its_rejected_answer(project, fill):
    pair = Record(
        (Message("user", "why"),), kind="preference", chosen=(Message("assistant", "so"),), rejected=(Message("assistant", "no"),)
    )
    other = Record(
        (Message("user", "how"),), kind="preference", chosen=(Message("assistant", "thus"),), rejected=(Message("assistant", "nope"),)
    )
    fill(project, [pair, other])
    user, answer = Message("user", "why?").to_json(), Message("assistant", "because").to_json()
    decide(project, [Decision(pair.id, "edit", edit=[user, answer]), Decision(other.id, "edit", edit=[Message("user", "how?").to_json()])])
    rows = rows_of(project, build_snapshot(project, Recipe(drop=(), split=(1.0, 0.0, 0.0))), "train")
    read = {r.prompt: (r.answer, r.rejected[0].content) for r in map(row_to_record, rows)}
    assert read == {"why?": ("because", "no"), "how?": ("thus", "nope")}


def test_the_same_rows_in_other_files_give_the_same_bytes(tmp_path, fill):
    records = distinct(30)
    projects = [Project.create(tmp_path / name) for name in ("a", "b")]
    fill(projects[0], records)
    fill(projects[1], records[17:], part="0001-x-00000")
    fill(projects[1], records[:17], part="0002-y-00000")
    first, second = (build_snapshot(p, PLAIN) for p in projects)
    assert first["id"] == second["id"]
    parquet = [name for name in first["files"] if name.endswith(".parquet")]
    assert {n: first["files"][n] for n in parquet} == {n: second["files"][n] for n in parquet}


def test_building_again_returns_what_is_there(project, fill):
    fill(project, distinct(12))
    first = build_snapshot(project, PLAIN)
    written = split_file(project, first["id"], "train").stat().st_mtime_ns
    assert build_snapshot(project, PLAIN) == first
    assert split_file(project, first["id"], "train").stat().st_mtime_ns == written
    assert [m["id"] for m in list_snapshots(project)] == [first["id"]]
    assert not (project.snapshots_folder / ".building").exists()


def test_a_snapshot_without_manifest_is_not_finished(project, fill):
    fill(project, distinct(12))
    first = build_snapshot(project, PLAIN)
    (project.snapshots_folder / first["id"] / "manifest.json").unlink()
    assert list_snapshots(project) == []
    assert build_snapshot(project, PLAIN)["id"] == first["id"]
    assert verify_snapshot(project, first["id"]) == []


def test_undo_restores_the_snapshot_id(project, fill):
    records = distinct(14)
    ids = fill(project, records)
    before = build_snapshot(project, PLAIN)["id"]
    change = edit(records[0], "changed")
    seq = decide(project, [change])[change.client_id]
    batch = bulk(project, ids[5:8], "drop")
    assert build_snapshot(project, PLAIN)["id"] != before
    undo(project, batch=batch)
    undo(project, seq=seq)
    assert build_snapshot(project, PLAIN)["id"] == before


def test_nothing_left_says_what_to_do(project, fill):
    with pytest.raises(WorkbenchError, match=r"There are no rows to freeze yet\. Import a file first\."):
        build_snapshot(project, PLAIN)
    ids = fill(project, distinct(3))
    bulk(project, ids, "drop")
    with pytest.raises(WorkbenchError, match=r"leaves no row to train on: 3 are dropped, most \(3\) by decision\. Undo some"):
        build_snapshot(project, PLAIN)
    assert list_snapshots(project) == []


def test_near_equal_rows_and_equal_prompts_stay_together(project, fill):
    copies = [
        chat(f"please tell me how the old stone bridge was built over the river{mark}", "with arches of cut stone")
        for mark in ("", "!", " now")
    ]
    prompts = [chat("what is the capital of the winter garden", f"{word} {word}") for word in ("salt", "coin", "lamp")]
    fill(project, [*copies, *prompts, *distinct(24)])
    manifest = build_snapshot(project, PLAIN)
    assert manifest["groups_crossing"] == 0
    assert manifest["certificate"]["crossing"] == {
        "near_duplicate": 0,
        "equal_text": 0,
        "equal_prompt": 0,
        "equal_question": 0,
        "equal_opening": 0,
    }
    assert manifest["certificate"]["compared"]["near_duplicate"] >= 3
    splits = {
        row["prompt"]: (split, row["group"]) for split in ("train", "validation", "test") for row in rows_of(project, manifest, split)
    }
    assert len({splits[c.prompt] for c in copies}) == 1
    assert len({splits[p.prompt] for p in prompts}) == 1


def test_an_edit_that_makes_a_near_copy_pulls_the_row_to_its_copy(project, fill):
    records = distinct(40)
    fill(project, records)
    text = "the long and winding text of a fairly special answer about boats and harbours"
    decide(project, [edit(records[0], f"{text} one"), edit(records[1], f"{text} two")])
    manifest = build_snapshot(project, PLAIN)
    assert manifest["groups_crossing"] == 0
    found = {r["answer"][-3:]: s for s in ("train", "validation", "test") for r in rows_of(project, manifest, s) if r["edited_from"]}
    assert found["one"] == found["two"]


def test_rows_of_one_customer_stay_together(project, fill):
    records = [Record(r.messages, meta={"cust.id": f"c{i % 6}"}) for i, r in enumerate(distinct(36))]
    fill(project, records)
    manifest = build_snapshot(project, Recipe(drop=(), group_by="cust.id"))
    assert manifest["certificate"]["compared"]["same_cust.id"] == 6
    assert manifest["certificate"]["crossing"]["same_cust.id"] == 0
    assert manifest["certificate"]["largest_group"] == 6
    with pytest.raises(WorkbenchError, match=r'No row has the column "cust".*The columns are: cust\.id\.'):
        build_snapshot(project, Recipe(drop=(), group_by="cust"))


def test_splits_are_balanced_by_topic_once_there_are_topics(project, fill):
    ids = fill(project, distinct(100))
    assert "not balanced by topic" in build_snapshot(project, PLAIN)["warnings"][0]
    place(project, {id: i % 2 for i, id in enumerate(ids)}, {0: "left", 1: "right"})
    manifest = build_snapshot(project, PLAIN)
    assert manifest["warnings"] == []
    assert manifest["certificate"]["cluster_difference"] == {"train": 0.0, "validation": 0.0, "test": 0.0}


def test_a_changed_file_is_noticed(project, fill):
    fill(project, distinct(12))
    id = build_snapshot(project, PLAIN)["id"]
    assert verify_snapshot(project, id) == []
    path = split_file(project, id, "test")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    split_file(project, id, "dropped").unlink()
    assert [p.split(" ")[0] for p in verify_snapshot(project, id)] == ["dropped.parquet", "test.parquet"]


def test_a_snapshot_is_found_by_the_beginning_of_its_id(project, fill):
    fill(project, distinct(12))
    id = build_snapshot(project, PLAIN)["id"]
    assert load_snapshot(project, id[:6])["id"] == id
    with pytest.raises(WorkbenchError, match=rf'There is no snapshot "zz" in project\. Snapshots: {id}\.'):
        load_snapshot(project, "zz")


def test_the_difference_of_two_snapshots_adds_up(project, fill):
    records = distinct(30)
    ids = fill(project, records)
    first = build_snapshot(project, PLAIN)
    bulk(project, ids[:2], "drop")
    decide(project, [edit(records[5], "new words")])
    fill(project, [chat("one more question", "one more answer")], part="0002-x-00000")
    second = build_snapshot(project, PLAIN)
    diff = diff_snapshots(project, first["id"], second["id"])
    assert (diff["removed"], diff["edited"], diff["added"]) == (2, 1, 1)
    moved = sum(diff["moved"].values())
    assert diff["same"] + moved + diff["edited"] + diff["removed"] == first["kept"]
    assert diff["same"] + moved + diff["edited"] + diff["added"] == second["kept"]


def test_the_job_gives_the_manifest(project, fill, tmp_path):
    fill(project, distinct(12))
    told = []
    recipe = Recipe(drop=(), seed=3)
    result = snapshot_job({"project": str(project.folder), "recipe": recipe.to_json()}, tmp_path, lambda **event: told.append(event))
    assert result["recipe"]["seed"] == 3
    fractions = [e["fraction"] for e in told if e.get("fraction") is not None]
    assert fractions == sorted(fractions) and len(fractions) >= 4
    assert json.loads((project.snapshots_folder / result["id"] / "manifest.json").read_text(encoding="utf-8")) == result


def test_the_card_loads_as_a_data_set(project, fill, tmp_path, monkeypatch):
    fill(project, distinct(20))
    manifest = build_snapshot(project, PLAIN)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    from datasets import load_dataset

    loaded = load_dataset(str(project.snapshots_folder / manifest["id"]), cache_dir=str(tmp_path / "cache"))
    assert {name: split.num_rows for name, split in loaded.items()} == {"train": 16, "validation": 2, "test": 2}
    assert [m["role"] for m in loaded["train"][0]["messages"]] == ["user", "assistant"]
