"""Issues, queues and cards over a project with measurements a reader can judge by eye."""

import json

import pyarrow as pa
import pytest

from pipelines.checks import all_checks
from pipelines.curation.decisions import Decision, bulk, decide
from pipelines.curation.issue_index import issue_counts
from pipelines.curation.issues import cards, issues
from pipelines.curation.queue import Queue, queue_ids, queue_size
from pipelines.curation.recipe import Recipe, load_recipe, save_recipe
from pipelines.errors import WorkbenchError
from pipelines.store.tables import MEASUREMENT_SCHEMA, write_parquet
from tests.conftest import chat


def measure(project, check, ids, values, evidence=None):
    rows = {"id": ids, "value": values, "evidence": evidence or [None] * len(ids)}
    write_parquet(
        pa.table(rows, schema=MEASUREMENT_SCHEMA), project.measurements_folder / all_checks()[check].key / "0001-test-00000.parquet"
    )


@pytest.fixture
def scanned(project, fill):
    """Three rows: the first is clean, the second has an empty turn, the third an empty turn and a strange role."""
    ids = fill(project, [chat("Is it open?", "Yes."), chat("Broken", ""), chat("Café closed?", " ")])
    evidence = [None, json.dumps([{"turn": 1, "note": "empty"}]), json.dumps([{"turn": 1, "record": ids[0]}])]
    measure(project, "empty_turn", ids, [0, 1, 2], evidence)
    measure(project, "unknown_role", ids, [0, None, 1])
    return ids


def test_only_values_beyond_the_threshold_are_issues_and_not_measured_is_none(project, scanned):
    counts = issue_counts(project).set_index("check")
    assert counts.loc["empty_turn", ["flagged", "measured"]].tolist() == [2, 3]
    assert counts.loc["unknown_role", ["flagged", "measured"]].tolist() == [1, 2]
    assert counts.loc["mojibake", ["flagged", "measured"]].tolist() == [0, 0]


def test_moving_a_threshold_changes_the_issues_and_no_file(project, scanned):
    before = sorted(p.stat().st_mtime_ns for p in project.measurements_folder.rglob("*.parquet"))
    save_recipe(project, Recipe(thresholds={"empty_turn": 1.0}))
    assert [i["record"] for i in issues(project, "empty_turn")] == [scanned[2]]
    assert sorted(p.stat().st_mtime_ns for p in project.measurements_folder.rglob("*.parquet")) == before


def test_issues_name_the_file_and_row_they_came_from(project, scanned):
    (first, _) = issues(project, "empty_turn")
    assert first == {
        "record": scanned[1],
        "sources": [{"file": "test.jsonl", "row": 2}],
        "check": "empty_turn",
        "score": 1.0,
        "evidence": [{"turn": 1, "note": "empty"}],
    }


@pytest.mark.parametrize(("check", "sentence"), [("nonsense", "There is no check named nonsense"), ("mojibake", "has not run yet")])
def test_asking_for_a_check_that_is_not_there_says_what_to_do(project, scanned, check, sentence):
    with pytest.raises(WorkbenchError, match=sentence):
        issues(project, check)


def test_a_check_switched_off_raises_no_issues(project, scanned):
    save_recipe(project, Recipe(disabled=("empty_turn",)))
    assert {i["check"] for i in issues(project)} == {"unknown_role"}


def test_queues_filter_by_check_state_and_text(project, scanned):
    assert queue_ids(project, Queue()) == [scanned[2], scanned[1], scanned[0]], "most and severest issues first"
    assert queue_ids(project, Queue(check="empty_turn", order="import")) == scanned[1:]
    assert queue_ids(project, Queue(search="CAFÉ")) == [scanned[2]]
    decide(project, [Decision(scanned[2], "drop")])
    assert queue_ids(project, Queue(check="empty_turn")) == [scanned[1]]
    assert queue_ids(project, Queue(check="empty_turn", state="drop")) == [scanned[2]]
    assert queue_size(project, Queue(state="all")) == 3
    assert queue_ids(project, Queue(state="all", ids=(scanned[0],))) == [scanned[0]]


def test_a_random_queue_repeats_itself_by_seed(project, fill):
    fill(project, [chat(f"question {n}", "answer") for n in range(40)])
    first = queue_ids(project, Queue(order="random", seed=1))
    assert queue_ids(project, Queue(order="random", seed=1)) == first
    assert queue_ids(project, Queue(order="random", seed=2)) != first
    assert queue_ids(project, Queue(order="random", seed=1), limit=5, offset=3) == first[3:8]


def test_a_queue_survives_the_url(scanned):
    queue = Queue(check="empty_turn", cluster=3, state="all", search="a b", order="random", seed=9, ids=(scanned[0], scanned[1]))
    assert Queue.from_query(queue.to_query()) == queue
    assert Queue().to_query() == {}
    with pytest.raises(WorkbenchError, match="damaged"):
        Queue.from_query({"cluster": "x'; DROP"})
    with pytest.raises(WorkbenchError, match="no check named"):
        Queue.from_query({"check": "x' OR 1=1"})


def test_cards_carry_findings_sources_verdict_and_the_row_compared_with(project, scanned):
    decide(project, [Decision(scanned[2], "flag", reason="ask Ann")])
    third, first = cards(project, [scanned[2], scanned[0], "f" * 32])
    assert [f["check"] for f in third["findings"]] == ["empty_turn", "unknown_role"]
    assert third["others"] == {scanned[0]: {"prompt": "Is it open?", "answer": "Yes."}}
    assert (third["verdict"], third["reason"], third["sources"]) == ("flag", "ask Ann", [{"file": "test.jsonl", "row": 3}])
    assert third["messages"] == [{"role": "user", "content": "Café closed?"}, {"role": "assistant", "content": " "}]
    assert first["findings"] == [] and first["verdict"] is None


def test_an_unscanned_or_empty_project_has_no_issues_and_an_empty_queue(project):
    assert issue_counts(project)["flagged"].sum() == 0
    assert queue_ids(project, Queue()) == []
    assert cards(project, []) == []


def test_a_bulk_drop_of_a_queue_leaves_it_empty(project, scanned):
    bulk(project, queue_ids(project, Queue(check="empty_turn")), "drop", reason="empty")
    assert queue_size(project, Queue(check="empty_turn")) == 0
    assert int(issue_counts(project).set_index("check").loc["empty_turn", "undecided"]) == 0


@pytest.mark.parametrize("split", [(0.5, 0.5, 0.5), (0.0, 0.5, 0.5), (1.0,), (1.2, -0.1, -0.1)])
def test_impossible_splits_are_refused(split):
    with pytest.raises(WorkbenchError, match="three shares that add up to 1"):
        Recipe(split=split)


def test_a_recipe_survives_the_project(project):
    recipe = Recipe(
        thresholds={"empty_turn": 0.5}, disabled=("mojibake",), drop=("empty_turn",), undecided="drop", split=(0.7, 0.2, 0.1), seed=4
    )
    save_recipe(project, recipe)
    assert load_recipe(project) == recipe
