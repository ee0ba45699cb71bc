"""Unknown roles are counted, and become what the user says they are."""

import pytest

from pipelines.curation.fixes import apply_fix, preview_fix, unknown_roles
from pipelines.curation.issue_index import issue_counts
from pipelines.errors import WorkbenchError
from pipelines.records import Message, Record
from pipelines.scan import scan


def talk(*said: str) -> Record:
    return Record(tuple(Message(*one.split(":", 1)) for one in said))


ROWS = [
    talk("customer:Is it open?", "Agent_Bot:Yes."),
    talk("customer:Is it far?", "Agent_Bot:No.", "customer:Thanks!", "Agent_Bot:Gladly."),
    talk("ghost:Where is it?", "assistant:Over there."),
    talk("user:Is there parking?", "assistant:Behind the house."),
]


@pytest.fixture
def scanned(project, fill):
    fill(project, ROWS)
    scan(project, checks=["unknown_role", "role_order", "empty_turn"])
    return project


def flagged(project) -> int:
    return int(issue_counts(project).set_index("check")["flagged"]["unknown_role"])


def test_each_unknown_role_is_counted_by_the_rows_it_is_in(scanned):
    assert unknown_roles(scanned) == {"Agent_Bot": 2, "customer": 2, "ghost": 1}


def test_a_role_is_what_the_user_says_whatever_its_case(scanned):
    roles = {"customer": "user", "agent_bot": "assistant"}
    seen = preview_fix(scanned, "unknown_role", roles=roles)
    assert (seen["rows"], seen["fixable"]) == (3, 2)
    assert apply_fix(scanned, "unknown_role", roles=roles)["fixed"] == 2
    assert flagged(scanned) == 1 and unknown_roles(scanned) == {"ghost": 1}


def test_a_role_that_the_user_leaves_stays_even_where_it_is_a_usual_one(scanned):
    assert preview_fix(scanned, "unknown_role", roles={})["fixable"] == 0
    assert apply_fix(scanned, "unknown_role", roles={"ghost": "user"})["fixed"] == 1
    assert unknown_roles(scanned) == {"Agent_Bot": 2, "customer": 2}


def test_a_row_is_mended_once_all_its_roles_are_named(scanned):
    assert preview_fix(scanned, "unknown_role", roles={"agent_bot": "assistant"})["fixable"] == 0


def test_a_role_that_there_is_not_and_another_check_are_refused_with_a_sentence(scanned):
    with pytest.raises(WorkbenchError, match='The role "ghost" cannot be "spirit"'):
        preview_fix(scanned, "unknown_role", roles={"ghost": "spirit"})
    with pytest.raises(WorkbenchError, match="Roles can be said for the check unknown_role alone"):
        apply_fix(scanned, "empty_turn", roles={"ghost": "user"})
