"""The review page around the card: which rows, from where, and what is said when there is nothing to review."""

import pytest

from pipelines.curation.decisions import Decision, decide
from pipelines.store.project import Project
from tests.conftest import chat
from tests.workbench.app_test import fill_small, open_page, text_of


@pytest.fixture
def home(tmp_path, monkeypatch):
    home = tmp_path / "projects"
    home.mkdir()
    monkeypatch.setenv("WINNOW_HOME", str(home))
    monkeypatch.delenv("WINNOW_PROJECT", raising=False)
    return home


@pytest.fixture
def small(home, fill):
    project = Project.create(home / "small")
    project.ids = fill_small(project, fill)
    return project


def review(**query: str):
    app = open_page("review", {"project": "small"} | query)
    assert not app.exception
    return app


def choices(app) -> list[list[str]]:
    return [box.options for box in app.selectbox]


def test_every_choice_says_how_many_rows_it_holds(small):
    decide(small, [Decision(small.ids[2], "drop"), Decision(small.ids[0], "keep")])
    issues, topics, states, orders = choices(review())
    assert issues == ["All rows", "Empty turns · 1", "Chatbot phrases · 1", "Placeholders nobody filled in · 1"]
    assert topics == ["All topics", "shoes, return · 2", "shop, <i>open</i> · 4"]
    assert states == ["Undecided · 4", "All · 6", "Kept · 1", "Dropped · 1", "Flagged · 0"]
    assert orders == ["Worst first", "Random order", "As imported"]


def test_the_states_are_counted_within_the_issue(small):
    decide(small, [Decision(small.ids[2], "drop")])
    assert choices(review(check="ai_boilerplate"))[2] == ["Undecided · 1", "All · 2", "Kept · 0", "Dropped · 1", "Flagged · 0"]


def test_a_link_from_the_report_chooses_its_issue(small):
    assert review(check="ai_boilerplate").selectbox[0].value == "ai_boilerplate"


def test_a_choice_is_written_to_the_url_and_the_project_stays(small):
    app = review(search="shoes")
    app.selectbox[3].set_value("random").run()
    assert {name: app.query_params[name] for name in app.query_params} == {"project": "small", "search": "shoes", "order": "random"}
    app.selectbox[0].set_value("placeholder").run()
    assert app.query_params["check"] == "placeholder" and not app.exception
    app.selectbox[0].set_value("").run()
    assert "check" not in app.query_params


def test_new_counts_do_not_disturb_a_choice(small):
    app = review(check="ai_boilerplate")
    decide(small, [Decision(small.ids[2], "drop")])
    app.run()
    assert not app.exception and app.selectbox[0].value == "ai_boilerplate" and "Chatbot phrases · 1" in choices(app)[0]


def test_an_issue_without_rows_can_still_be_looked_at(small):
    app = review(check="refusal")
    assert app.selectbox[0].value == "refusal"


@pytest.mark.parametrize("damage", [{"check": "no_such_check"}, {"cluster": "x"}, {"order": "sideways"}], ids=str)
def test_a_damaged_link_becomes_a_sentence_and_shows_all_rows(small, damage):
    app = review(**damage)
    assert len(app.warning) == 1 and app.selectbox[2].value == "undecided"


def test_a_selection_is_named_and_can_be_left(small):
    app = review(ids=",".join(small.ids[:2]), state="all")
    assert "Only the **2 rows** you selected" in text_of(app)
    app.button(key="review-all").click().run()
    assert "ids" not in app.query_params and not app.exception


def test_rows_no_check_has_seen_can_be_reviewed_and_it_is_said(home, fill):
    fill(Project.create(home / "small"), [chat("Hello?", "Hello.")])
    assert "No check has looked at these rows yet" in text_of(review())
