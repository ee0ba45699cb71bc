"""A rule takes part wherever a check does: scan, findings, queue, report, recipe, snapshot; and its measurements follow its text."""

import json

import pytest

from pipelines import cli
from pipelines.curation.fixes import apply_fix
from pipelines.curation.issues import cards, issues
from pipelines.curation.queue import Queue, queue_ids, queue_size
from pipelines.curation.recipe import load_recipe
from pipelines.curation.report import report
from pipelines.curation.snapshot import build_snapshot
from pipelines.errors import WorkbenchError
from pipelines.rules.rule_file import earlier_versions, load_rules, remove_rule, rules_text, save_rules, version_text
from pipelines.scan import scan
from tests.conftest import chat

RULES = """rules:
  - id: no-slang
    title: No slang
    severity: error
    message: Say it in plain words. Slang ages.
    forbid: [gonna, wanna]
    tests: {pass: ["We will."], fail: ["We're gonna."]}
  - id: short
    words: {max: 5}
"""
ROWS = [chat("When?", "We are gonna call &amp; ask."), chat("Why?", "Because."), chat("How?", "One two three four five six.")]


@pytest.fixture
def ruled(project, fill):
    ids = fill(project, ROWS)
    save_rules(project, RULES)
    scan(project, checks=["html_residue", "rule:no-slang", "rule:short"])
    return project, ids


def found(project, name: str) -> list[str]:
    return [issue["record"] for issue in issues(project, name)]


def test_rows_that_break_a_rule_are_findings_with_their_place(ruled):
    project, ids = ruled
    assert found(project, "rule:no-slang") == [ids[0]] and found(project, "rule:short") == [ids[0], ids[2]]
    (card,) = cards(project, [ids[0]])
    slang = next(f for f in card["findings"] if f["check"] == "rule:no-slang")
    spot = slang["evidence"][0]
    assert (slang["title"], card["messages"][1]["content"][spot["start"] : spot["end"]]) == ("No slang", "gonna")


def test_a_queue_and_the_report_take_a_rule_for_a_check(ruled):
    project, ids = ruled
    queue = Queue.from_query({"check": "rule:no-slang"})
    assert queue_ids(project, queue) == [ids[0]] and queue_size(project, Queue(check="rule:gone")) == 0
    shown = {check["check"]: check for check in report(project)["checks"]}
    assert shown["rule:no-slang"]["flagged"] == 1 and shown["rule:no-slang"]["effect"] == "Say it in plain words. Slang ages."


def test_a_serious_rule_leaves_its_rows_out_of_a_snapshot(ruled):
    project, _ = ruled
    assert build_snapshot(project, load_recipe(project))["dropped"] == {"rule:no-slang": 1}


def test_changing_one_rule_measures_that_one_anew_and_no_other(ruled):
    project, ids = ruled
    before = {folder.name for folder in project.measurements_folder.glob("rule-*")}
    save_rules(project, RULES.replace("max: 5", "max: 2").replace("No slang", "No slang at all"))
    scan(project, checks=["rule:no-slang", "rule:short"])
    after = {folder.name for folder in project.measurements_folder.glob("rule-*")}
    assert {name for name in before & after} == {name for name in before if name.startswith("rule-no-slang@")}
    assert len(found(project, "rule:short")) == 2 and len(after) == 2, "a title decides nothing"


def test_a_rule_that_is_gone_leaves_no_finding_and_its_text_comes_back(ruled):
    project, ids = ruled
    save_rules(project, "rules: []\n")
    assert "rule:no-slang" not in load_recipe(project).known and "rule:no-slang" not in {c["check"] for c in report(project)["checks"]}
    (version,) = earlier_versions(project)
    save_rules(project, version_text(project, version.name))
    assert [rule.id for rule in load_rules(project)] == ["no-slang", "short"]


def test_a_mended_row_is_measured_by_the_rules_too(ruled):
    project, ids = ruled
    apply_fix(project, "html_residue")
    (issue,) = issues(project, "rule:no-slang")
    assert issue["record"] == ids[0] and issue["score"] == 1.0


def test_rules_are_listed_tested_and_run_by_command(ruled, tmp_path, capsys):
    project, _ = ruled
    run = ["--project", str(project.folder), "--json", "rules"]
    assert cli.main([*run]) == 0
    assert [r["id"] for r in json.loads(capsys.readouterr().out)["rules"]] == ["no-slang", "short"]
    assert cli.main([*run, "test"]) == 0
    assert json.loads(capsys.readouterr().out) == {"examples": 2, "wrong": 0, "untested": ["short"]}
    assert cli.main([*run, "run", "--id", "short"]) == 0
    (short,) = json.loads(capsys.readouterr().out)["rules"]
    assert (short["rows"], short["applies"], short["broken"]) == (3, 3, 2)
    outside = tmp_path / "other.jsonl"
    outside.write_text('{"question": "So?", "answer": "I wanna."}\n{"question": "So?", "answer": "No."}\nnot json\n')
    assert cli.main([*run, "run", "--on", str(outside), "--id", "no-slang"]) == 0
    (slang,) = json.loads(capsys.readouterr().out)["rules"]
    assert (slang["rows"], slang["broken"], slang["examples"][0]["row"]) == (2, 1, 1)


def test_an_example_that_comes_out_wrong_fails_the_test_command(project, capsys):
    save_rules(project, 'rules:\n  - id: a\n    forbid: x\n    tests: {pass: ["x marks it"], fail: ["nothing"]}\n')
    assert cli.main(["--project", str(project.folder), "rules", "test"]) == 1
    said = capsys.readouterr().err
    assert "2 of 2 examples came out wrong" in said and 'a: "nothing" should break the rule, and does not' in said


def test_a_rule_is_removed_and_the_rest_of_the_file_stays_as_it_was(project):
    text = "# ours\n" + RULES.replace("  - id: short", "\n  # how long\n  - id: short")
    save_rules(project, text)
    assert [rule.id for rule in remove_rule(project, "no-slang")] == ["short"]
    assert rules_text(project) == "# ours\nrules:\n\n  # how long\n  - id: short\n    words: {max: 5}\n"
    assert remove_rule(project, "short") == [] == load_rules(project)
    assert version_text(project, earlier_versions(project)[-1].name) == text
    with pytest.raises(WorkbenchError, match="no lines of its own"):
        remove_rule(project, "short")


def test_a_search_also_finds_what_stands_in_other_columns(project, fill):
    ids = fill(project, [chat("one", "two", **{"Case no.": "C-1048"}), chat("three", "four", **{"Case no.": "C-1049"})])
    assert queue_ids(project, Queue(search="c-1048"), limit=9) == [ids[0]]
    assert queue_ids(project, Queue(search="case no"), limit=9) == [], "names of columns are not searched"
    assert queue_size(project, Queue(search="C-10")) == 2
