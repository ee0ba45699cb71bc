"""The same rule, in four places: rows brought in, rows trained on, answers before, answers after."""

from pipelines.curation.recipe import Recipe
from pipelines.curation.snapshot import build_snapshot
from pipelines.evaluation.rule_rates import rule_rates
from pipelines.evaluation.table import render_table
from pipelines.rules.rule_file import load_rules, save_rules
from pipelines.scan import scan
from tests.conftest import chat

RULES = """rules:
  - id: no-slang
    severity: error
    forbid: gonna
  - id: greets
    require: Hello
    when: {prompt_matches: '(?i)^good'}
  - id: asked-kindly
    on: prompt
    require: please
"""


def test_one_rule_is_counted_in_rows_in_training_rows_and_in_what_both_models_say(project, fill):
    fill(project, [chat(f"Question {i}?", "We are gonna." if i < 2 else f"Answer {i}.") for i in range(10)])
    save_rules(project, RULES)
    scan(project, checks=["rule:no-slang", "rule:greets"])
    made = build_snapshot(project, Recipe(drop=("rule:no-slang",), split=(1, 0, 0), known=_known(project)))
    asked = [chat("Good day", "expected"), chat("When?", "expected")]
    found = rule_rates(
        project, load_rules(project), project.snapshots_folder / made["id"], asked,
        ["gonna call", "gonna come"], ["Hello you", "At nine"], [0, 1],
    )  # fmt: skip
    slang, greets = found
    assert [slang[part]["mean"] for part in ("raw", "curated", "before", "after")] == [0.2, 0.0, 1.0, 0.0]
    assert (slang["raw"]["n"], slang["curated"]["n"], slang["difference"]["mean"]) == (10, 8, -1.0)
    assert (greets["before"]["mean"], greets["after"]["mean"], greets["after"]["n"]) == (1.0, 0.0, 1), (
        "the condition limits it to one prompt"
    )
    assert greets["raw"]["n"] == 0 and greets["raw"]["mean"] is None, "no row brought in begins like that"


def test_twenty_answers_to_one_question_are_not_twenty_proofs(project, fill):
    """One question of five is answered without slang after training, and each was asked in twenty wordings."""
    fill(project, [chat("Question?", "Answer.")])
    save_rules(project, RULES)
    snapshot = project.snapshots_folder / build_snapshot(project, Recipe(split=(1, 0, 0), known=_known(project)))["id"]
    asked = [chat(f"Wording {n} of question {n // 20}", "expected") for n in range(100)]
    after = ["I will."] * 20 + ["I'm gonna."] * 80

    def slang(groups):
        return rule_rates(project, load_rules(project), snapshot, asked, ["I'm gonna."] * 100, after, groups)[0]

    assert slang(range(100))["verdict"] == "better"
    found = slang([n // 20 for n in range(100)])
    assert (found["verdict"], found["difference"]["mean"], found["after"]["mean"]) == ("no difference shown", -0.2, 0.8)
    assert found["before"]["low"] < 0.6 and found["after"]["low"] < 0.4, "as few as five questions tell"


def _known(project):
    from pipelines.rules.rule_file import known_checks

    return known_checks(project)


def test_the_table_shows_the_rules_beside_the_scores():
    share = {"mean": 0.5, "low": 0.2, "high": 0.8, "n": 4}
    rule = {"rule": "a", "title": "No slang", "severity": "error", "verdict": "better"}
    rule |= dict.fromkeys(("raw", "curated", "before", "after", "difference"), share)
    shown = render_table(
        {
            "run": "r",
            "on_name": "f",
            "n": 4,
            "metrics": {},
            "verdicts": {},
            "excluded": {},
            "not_drawn": 0,
            "rows": 4,
            "notes": [],
            "rules": [rule],
        }
    )
    assert "No slang  50 % (20 to 80)" in shown and "+50 points (+20 to +80)  better" in shown
