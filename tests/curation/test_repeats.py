"""Repeats of a row: which of them stays in a snapshot, whatever was decided and in whatever order."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.curation.decisions import Decision, decide, undo
from pipelines.curation.recipe import Recipe
from pipelines.curation.selection import selection_counts
from pipelines.curation.snapshot import (
    build_snapshot,
)
from pipelines.errors import WorkbenchError
from pipelines.records import Message
from pipelines.store.project import Project
from tests.curation.measured import measure
from tests.curation.test_snapshot import PLAIN, distinct, edit, ids_of, rows_of


def repeats(of, *ids):
    return {id: [{"record": of, "note": "the same text"}] for id in ids}


DROP_REPEATS = Recipe(drop=("exact_duplicate", "no_answer"))


def test_when_the_row_that_was_to_stay_goes_the_first_of_its_repeats_stays(project, fill):
    ids = fill(project, distinct(20))
    measure(project, "exact_duplicate", {id: float(i in (4, 5, 8)) for i, id in enumerate(ids)}, repeats(ids[2], ids[4], ids[5], ids[8]))
    assert build_snapshot(project, DROP_REPEATS)["dropped"] == {"exact_duplicate": 3}
    decide(project, [Decision(ids[2], "drop")])
    manifest = build_snapshot(project, DROP_REPEATS)
    assert (manifest["dropped"], manifest["spared"]) == ({"exact_duplicate": 2, "decision": 1}, 1)
    assert ids[4] in ids_of(project, manifest)
    assert selection_counts(project, DROP_REPEATS)["spared"] == 1


def test_a_repeat_that_is_also_wrong_is_not_spared(project, fill):
    ids = fill(project, distinct(20))
    measure(project, "exact_duplicate", {id: float(i in (4, 5)) for i, id in enumerate(ids)}, repeats(ids[2], ids[4], ids[5]))
    measure(project, "no_answer", {id: float(i in (2, 4)) for i, id in enumerate(ids)})
    manifest = build_snapshot(project, DROP_REPEATS)
    assert (manifest["dropped"], manifest["spared"]) == ({"no_answer": 1, "exact_duplicate": 1}, 1)
    assert ids[5] in ids_of(project, manifest)


def test_a_chain_of_repeats_needs_only_one_that_stays(project, fill):
    ids = fill(project, distinct(20))
    measure(
        project, "exact_duplicate", {id: float(i in (3, 4)) for i, id in enumerate(ids)}, repeats(ids[2], ids[3]) | repeats(ids[3], ids[4])
    )
    assert build_snapshot(project, DROP_REPEATS)["dropped"] == {"exact_duplicate": 2}
    decide(project, [Decision(ids[4], "keep"), Decision(ids[2], "drop")])
    manifest = build_snapshot(project, DROP_REPEATS)
    assert (manifest["dropped"], manifest["spared"]) == ({"decision": 1, "exact_duplicate": 1}, 0), "the kept repeat stands for the others"


def test_nothing_is_spared_when_only_reviewed_rows_stay(project, fill):
    ids = fill(project, distinct(20))
    measure(project, "exact_duplicate", {id: float(i == 4) for i, id in enumerate(ids)}, repeats(ids[2], ids[4]))
    decide(project, [Decision(ids[2], "drop"), *(Decision(id, "keep") for id in ids[6:])])
    manifest = build_snapshot(project, Recipe(drop=("exact_duplicate",), undecided="drop"))
    assert (manifest["kept"], manifest["spared"]) == (14, 0)


verdicts = st.dictionaries(st.integers(0, 11), st.sampled_from(["keep", "drop", "flag", "edit"]), max_size=12)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(verdicts, verdicts, st.permutations(range(12)))
def test_the_same_state_gives_the_same_bytes_however_it_came_about(tmp_path_factory, fill, said, taken_back, order):
    folder = Path(tmp_path_factory.mktemp("p"))
    records = distinct(12)
    ids = [record.id for record in records]

    def decisions(of):
        return [Decision(ids[i], v, edit=edit(records[i], f"changed {i}").edit if v == "edit" else None) for i, v in of.items()]

    first, second = (Project.create(folder / name) for name in ("first", "second"))
    fill(first, records)
    fill(second, [records[i] for i in order[:5]])
    fill(second, [records[i] for i in order[5:]], part="0002-x-00000")
    decide(first, decisions(said))
    for seq in decide(second, decisions(taken_back)).values():
        undo(second, seq=seq)
    decide(second, decisions(said))
    try:
        manifest = build_snapshot(first, PLAIN)
    except WorkbenchError:
        assert list(said.values()).count("drop") == 12
        return
    again = build_snapshot(second, PLAIN)
    assert again["id"] == manifest["id"]
    for split in ("train", "validation", "test"):
        assert again["files"][f"{split}.parquet"] == manifest["files"][f"{split}.parquet"]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(verdicts, st.sets(st.integers(0, 11)), st.sampled_from(["keep", "drop"]))
def test_kept_and_dropped_add_up_and_the_preview_says_the_same(tmp_path_factory, fill, said, flagged, undecided):
    project = Project.create(Path(tmp_path_factory.mktemp("p")) / "project")
    records = distinct(12)
    ids = fill(project, records)
    measure(project, "no_answer", {id: float(i in flagged) for i, id in enumerate(ids)})
    # Every edit writes the same answer to the same question: all but the first merge.
    same = [Message("user", "q").to_json(), Message("assistant", "a").to_json()]
    decide(project, [Decision(ids[i], v, edit=same if v == "edit" else None) for i, v in said.items()])
    recipe = Recipe(drop=("no_answer",), undecided=undecided)
    preview = selection_counts(project, recipe)
    assert preview["kept"] + sum(preview["dropped"].values()) == 12
    if preview["kept"] == 0:
        with pytest.raises(WorkbenchError):
            build_snapshot(project, recipe)
        return
    manifest = build_snapshot(project, recipe)
    assert (manifest["kept"], manifest["dropped"]) == (preview["kept"], preview["dropped"])
    assert {row["id"] for row in rows_of(project, manifest, "dropped")} | {
        row["edited_from"] or row["id"] for s in ("train", "validation", "test") for row in rows_of(project, manifest, s)
    } == set(ids)
    assert all(said.get(ids.index(row["id"])) not in ("keep",) for row in rows_of(project, manifest, "dropped"))
