"""The page Rules: rules written in a form or as text, refused with the line, counted, brought back."""

import pytest

from pipelines.rules.allow_list import allowed
from pipelines.rules.rule_file import load_rules, rules_text, save_rules
from pipelines.scan import scan
from pipelines.store.project import Project
from tests.workbench.app_test import fill_small, open_page, text_of


@pytest.fixture
def small(tmp_path, monkeypatch, fill):
    monkeypatch.setenv("WINNOW_HOME", str(tmp_path))
    monkeypatch.delenv("WINNOW_PROJECT", raising=False)
    project = Project.create(tmp_path / "small")
    fill_small(project, fill)
    return project


def field(elements, label: str):
    return next(e for e in elements if e.label == label)


def test_a_rule_is_written_without_a_word_of_yaml(small):
    app = open_page("rules", {"project": "small"})
    field(app.text_input, "Name of the rule").input("No chatbot talk")
    field(app.text_area, "One word or phrase a line.").input("as an AI\nlanguage model")
    field(app.text_input, "Only when the question contains (optional)").input("shop|you")
    app = next(b for b in app.button if b.label == "Add the rule").click().run()
    assert not app.exception
    (rule,) = load_rules(small)
    assert (rule.id, rule.title, rule.severity) == ("no-chatbot-talk", "No chatbot talk", "warning")
    scan(small, checks=[rule.name])
    shown = text_of(open_page("rules", {"project": "small"}))
    assert "**2** of 2 rows break it" in shown, "the two rows whose question holds one of the words"


def test_a_text_that_is_not_understood_is_refused_with_its_line_and_nothing_is_saved(small):
    save_rules(small, "rules:\n  - id: a\n    forbid: x\n")
    app = open_page("rules", {"project": "small"})
    field(app.text_area, "rules.yaml").input("rules:\n  - id: a\n    forbd: x\n")
    app = next(b for b in app.button if b.label == "Save the rules").click().run()
    assert "line 2" in app.error[0].value and "Nothing was saved" in app.error[0].value
    assert "forbid: x" in rules_text(small)


def test_an_example_that_comes_out_wrong_is_shown_at_its_rule(small):
    save_rules(small, 'rules:\n  - id: a\n    forbid: x\n    tests: {fail: ["nothing here"]}\n')
    assert "should break the rule, and does not" in text_of(open_page("rules", {"project": "small"}))


def test_a_file_broken_by_hand_is_said_and_can_be_mended_here(small):
    (small.folder / "rules.yaml").write_text("rules: [", encoding="utf-8")
    app = open_page("rules", {"project": "small"})
    assert "this is not YAML" in app.error[0].value and field(app.text_area, "rules.yaml").value == "rules: ["


def test_earlier_rules_are_brought_back(small):
    save_rules(small, "rules:\n  - id: old\n    forbid: x\n")
    save_rules(small, "rules:\n  - id: new\n    forbid: y\n")
    app = open_page("rules", {"project": "small"})
    next(b for b in app.button if b.label == "Bring back").click().run()
    assert [rule.id for rule in load_rules(small)] == ["old"]


def test_a_rule_is_removed_by_its_button_and_can_be_brought_back(small):
    save_rules(small, "rules:\n  - id: a\n    forbid: x\n  - id: b\n    forbid: y\n")
    app = open_page("rules", {"project": "small"})
    app = next(b for b in app.button if b.key == "remove-a").click().run()
    assert not app.exception
    assert [rule.id for rule in load_rules(small)] == ["b"]
    assert any(b.label == "Bring back" for b in app.button)


def test_numbers_of_the_projects_own_are_described_by_an_example(small):
    app = open_page("rules", {"project": "small"})
    app = next(b for b in app.selectbox if b.label == "What does it ask for?").select("numbers").run()
    field(app.text_input, "Name of the rule").input("Patient numbers")
    field(app.text_area, "One example a line, such as MRN-0012345. Digits stand for any digits, letters for themselves.").input(
        "MRN-0012345"
    )
    app = next(b for b in app.button if b.label == "Add the rule").click().run()
    assert not app.exception
    (rule,) = load_rules(small)
    assert (rule.on, rule.stand_in) == ("turns", "MRN-{number}")
    assert [found.start for found in rule.breaches_of("See MRN-7654321.")] == [4]


def test_what_may_stay_is_saved_and_looked_for_again(small, monkeypatch):
    begun = []
    monkeypatch.setattr("workbench.allow_form.begin", lambda *asked: begun.append(asked[1:]))
    scan(small, checks=["email_address"])
    app = open_page("report", {"project": "small"})
    app.text_area(key="allowed-lines").input("help@harbour.io\n\n*@ourfirm.com")
    app = app.button(key="allow-save").click().run()
    assert not app.exception
    assert allowed(small) == ["help@harbour.io", "*@ourfirm.com"]
    ((kind, asked, _),) = begun
    assert kind == "scan" and {"email_address", "phone_number", "secret"} <= set(asked["checks"])
    app = open_page("report", {"project": "small"})
    assert app.text_area(key="allowed-lines").value == "help@harbour.io\n*@ourfirm.com"
    app.text_area(key="allowed-lines").input("*")
    app = app.button(key="allow-save").click().run()
    assert allowed(small) == ["help@harbour.io", "*@ourfirm.com"] and len(begun) == 1
