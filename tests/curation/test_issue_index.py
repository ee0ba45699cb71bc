"""The issue index: the same issues as the measurements hold, and never stale."""

from dataclasses import replace

import pytest

from pipelines.curation.decisions import connect
from pipelines.curation.issue_index import issue_index
from pipelines.curation.issues import add_issue_view
from pipelines.curation.recipe import Recipe
from tests.conftest import chat
from tests.curation.measured import measure


@pytest.fixture
def ids(project, fill):
    ids = fill(project, [chat(f"Question {n}", f"Answer {n}") for n in range(4)])
    measure(project, "empty_turn", dict(zip(ids, [0.0, 1.0, 2.0, None], strict=True)))
    measure(project, "repetition", dict(zip(ids, [0.0, 0.0, 0.99, 0.99], strict=True)))
    return ids


def rows(table):
    return sorted(zip(*(table.column(name).to_pylist() for name in ("check", "id", "weight", "excess")), strict=True))


def test_it_holds_the_issues_that_the_measurements_hold(project, ids):
    with connect(project) as connection:
        add_issue_view(connection, Recipe())
        asked = connection.sql("SELECT i.check, i.id, i.weight, i.excess FROM issues i").fetchall()
    assert rows(issue_index(project, Recipe())) == sorted(asked) and len(asked) == 4


def test_a_moved_threshold_and_a_new_measurement_are_seen(project, ids):
    strict = replace(Recipe(), thresholds={"empty_turn": 1.0})
    assert [id for check, id, *_ in rows(issue_index(project, strict)) if check == "empty_turn"] == [ids[2]]
    measure(project, "empty_turn", dict(zip(ids, [5.0, 0.0, 0.0, 0.0], strict=True)))
    assert [id for check, id, *_ in rows(issue_index(project, strict)) if check == "empty_turn"] == [ids[0]]


def test_a_check_switched_off_has_no_issues(project, ids):
    assert {check for check, *_ in rows(issue_index(project, replace(Recipe(), disabled=("repetition",))))} == {"empty_turn"}


def test_it_is_made_once(project, ids):
    assert issue_index(project, Recipe()) is issue_index(project, replace(Recipe(), seed=7, undecided="drop"))
