"""Rules: each kind finds what it should and no more, points at the place, and says what is wrong in a file that is not understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import WorkbenchError
from pipelines.rules.rule import is_rule_name
from pipelines.rules.yaml_reader import DEMANDS, read_rules
from tests.conftest import chat


def rule(body: str):
    (found,) = read_rules("rules:\n  - id: one\n" + "".join(f"    {line}\n" for line in body.strip().splitlines()))
    return found


def places(body: str, text: str, prompt: str = "") -> list[str]:
    """The words a rule points at, or its note where it means the whole text."""
    return [text[e.start : e.end] if e.start is not None else e.note for e in rule(body).breaches_of(text, prompt)]


CASES = [
    ("forbid: [sorry, I'm afraid]", "Sorry, no. I'm afraid not.", ["Sorry", "I'm afraid"]),
    ("forbid: sorry", "A sorry-looking plant, but not sorrysome.", ["sorry"]),
    ("forbid: Entschuldigung", "ENTSCHULDIGUNG, das ging schief.", ["ENTSCHULDIGUNG"]),
    ("forbid: 抱歉", "很抱歉，我不能。", ["抱歉"]),
    ("forbid: US\nmatch_case: true", "Ask us in the US.", ["US"]),
    ("forbid: 'no refund'", "There is no\n refund.", ["no\n refund"]),
    ("forbid_pattern: '!{2,}'", "Great!! Yes!", ["!!"]),
    ("forbid_pattern: '^(\\w+\\s?)*$'", "a" * 4_000 + "!", []),  # takes ages where patterns backtrack
    ("require: [Kind regards]", "Done. kind  regards, Ann", []),
    ("require: [Kind regards, Ann]", "Done. Kind regards", ['lacks "Ann"']),
    ("require_any: [Dear, Hello]", "Good day", ['has none of: "Dear", "Hello"']),
    ("require_pattern: '^\\d{4}-\\d\\d-\\d\\d$'", "2024-01-31", []),
    ("require_pattern: '^\\d{4}-\\d\\d-\\d\\d$'", "31.01.2024", ["lacks a text of the required form"]),
    (
        "glossary: [{use: mailbox, instead_of: [mail account, inbox]}]",
        "Two mail accounts and an inbox's rule.",
        ["mail accounts", "inbox's"],
    ),
    ("glossary: [{use: mailbox, instead_of: [inbox]}]", "Your mailbox and the inboxing.", []),
    ("labels: [yes it is, 'no']", " no ", []),
    ("labels: ['yes', 'no']", "maybe", ['"maybe" is not one of yes, no']),
    ("labels: [low, high]\nfield: p.level", '{"p": {"level": "low"}}', []),
    ("labels: [low, high]\nfield: p.level", '{"p": {"level": "mid"}}', ['"mid"']),
    ("labels: [low]\nfield: level", "low", ["it is not JSON"]),
    ("words: {max: 3}", "one two three", []),
    ("words: {max: 3}", "one two three-and-a-half four", ["4 words; at most 3 are allowed"]),
    ("words: {min: 3}", "我无法", []),
    ("sentences: {max: 1}", "It is 3.5 m. It fits", ["2 sentences; at most 1 are allowed"]),
    ("characters: {min: 2, max: 4}", "é", ["1 characters; 2 to 4 are allowed"]),
    ("reading_level: {max: 40}", "The dog ran to the man. The man saw the dog and ran.", []),
    (
        "reading_level: {max: 40}",
        "Notwithstanding considerable organisational complexity, interdepartmental collaboration necessitates comprehensive documentation of everything.",
        ["reading level (LIX) 102; at most 40 is allowed"],
    ),
    ("expression: words < 4 and 'x' not in text", "one two", []),
    ("expression: json['a'] > 2", '{"a": 1}', ["json['a'] > 2 is not true"]),
    ("expression: json['a'] > 2", "no", ["json['a'] > 2 cannot be worked out: 'NoneType' object is not subscriptable"]),
    ("schema: {type: object, required: [a]}", '{"a": 1}', []),
    ("schema: {type: object, required: [a]}", '{"b": 1}', ['"a" is a required property']),
    ("schema: {properties: {a: {enum: [x, y]}}}", '{"a": "z"}', ['"a"']),
    ("schema: {type: object}", '{"a": 1,}', ["}"]),
    ("schema: {type: object}\nplace: block", 'Here:\n```json\n{"a": 1}\n```\nBye', []),
    ("schema: {type: object}\nplace: block", "none", ["there is no JSON in it"]),
    ("schema: {required: [b]}\nplace: first", 'It is {"a": 1}, see?', ['"b" is a required property']),
]


@pytest.mark.parametrize(("body", "text", "expected"), CASES)
def test_a_rule_points_at_what_breaks_it(body, text, expected):
    assert places(body, text) == expected


def test_every_kind_of_rule_has_a_case():
    assert {kind for kind in DEMANDS if any(body.startswith(f"{kind}:") for body, *_ in CASES)} == set(DEMANDS)


def test_a_condition_limits_the_rule_to_its_rows():
    body = "require: [not medical advice]\nwhen: {prompt_matches: '(?i)dose|tablet'}"
    assert places(body, "Take two.", "How many tablets?") == ['lacks "not medical advice"']
    assert places(body, "At nine.", "When is it open?") == []


def test_a_rule_about_all_answers_or_the_prompt_looks_at_those_turns():
    from pipelines.checks import Batch
    from pipelines.store.tables import records_to_table

    batch = Batch(records_to_table([chat("damn", "damn", "damn it", "fine"), chat("hello", "hi", system="damn")]))
    turns = {
        on: [[e.turn for e in spots] for spots in rule(f"forbid: damn\non: {on}").measure(batch).evidence or []]
        for on in ("answer", "answers", "prompt", "system")
    }
    assert turns == {"answer": [[], []], "answers": [[1], []], "prompt": [[0, 2], []], "system": [[], [0]]}
    assert rule("forbid: damn\non: system").measure(batch).values == [None, 1.0], "not measured where there is no such turn"


WRONG = [
    ("rules:\n  - id: a\n    forbid: x\n  - id: a\n    forbid: y\n", 'rules.yaml line 4 (rule "a"): there are two rules with the id "a"'),
    ("rules:\n  - id: Big Rule\n    forbid: x\n", 'line 2 (rule "Big Rule"): a rule needs an id of small letters'),
    ("rules:\n  - id: a\n", "asks for exactly one thing. This one has none"),
    ("rules:\n  - id: a\n    forbid: x\n    words: {max: 1}\n", "This one has forbid and words"),
    ("rules:\n  - id: a\n    forbid: x\n    sevrity: error\n", '"sevrity" is not a field of such a rule'),
    ("rules:\n  - id: a\n    forbid_pattern: '(?<=a)b'\n", "forbid_pattern is not a pattern that can be searched: invalid perl operator"),
    ("rules:\n  - id: a\n    schema: {type: objekt}\n", "schema is not a JSON Schema"),
    ("rules:\n  - id: a\n    schema: {$ref: 'http://x.example/s.json'}\n", "it refers to another schema; write it out"),
    ("rules:\n  - id: a\n    words: {max: -1}\n", "words.max is a whole number from 0"),
    ("rules:\n  - id: a\n    words: {min: 5, max: 1}\n", "words: min is greater than max"),
    ("rules:\n  - id: a\n    expression: __import__('os')\n", "expression cannot be worked out"),
    ("rules:\n  - id: a\n    expression: wrods < 3\n", "expression cannot be worked out: 'wrods' is not defined"),
    ("rules:\n  - id: a\n    labels: [yes, no]\n", "Put yes, no, on, off, true and false in quotation marks"),
    ("rules:\n  - id: a\n    forbid: [x\n", "rules.yaml line 4: this is not YAML"),
    ("rules:\n  - id: a\n    forbid: x\n    forbid: y\n", '"forbid" stands here a second time'),
    ("- id: a\n", 'it begins with "rules:"'),
    ("rules:\n  - id: a\n    forbid: x\n    when: {asked: y}\n", "when holds one or more of prompt_matches"),
    ("rules:\n  - id: a\n    forbid: x\n    tests: {pass: [1]}\n", "an example is a text"),
]


@pytest.mark.parametrize(("text", "sentence"), WRONG)
def test_a_file_that_is_not_understood_is_refused_with_line_and_reason(text, sentence):
    with pytest.raises(WorkbenchError) as caught:
        read_rules(text)
    assert sentence in str(caught.value)


def test_a_short_file_that_unfolds_without_end_is_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    with pytest.raises(WorkbenchError, match="unfolds to more than"):
        read_rules("\n".join([*lines, "rules: []"]))


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_in_a_sentence(text):
    try:
        assert isinstance(read_rules(text), list)
    except WorkbenchError as error:
        assert "rules.yaml" in str(error)


def test_names_of_rules_are_safe_inside_a_query():
    assert is_rule_name("rule:no-slang") and not any(map(is_rule_name, ("no-slang", "rule:", "rule:A", "rule:a'b", "rule:a b")))


def test_the_rules_in_the_readme_are_understood_and_every_kind_is_named_there():
    from pathlib import Path

    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    rules = read_rules(readme.split("```yaml\n")[1].split("```")[0])
    assert [rule.id for rule in rules] == ["disclaimer", "one-term", "agreed-json", "patient-numbers"]
    assert all(f"`{kind}`" in readme for kind in DEMANDS)
