"""Metrics: which ones a set of expected answers gets, and what each scores."""

import json

import pytest

from pipelines.evaluation.metrics import Answer, answer_form, estimate, estimate_difference, metrics_for

ALWAYS = ["answer_loss", "length_ratio", "stopped", "empty_answer"]
INTENTS = [json.dumps({"intent": intent, "urgent": urgent, "reply": f"We will see to number {n}."}) for n, (intent, urgent) in
           enumerate([("card", True), ("card", False), ("loan", True), ("loan", True), ("card", False), ("loan", False)])]  # fmt: skip


def named(expected):
    return {metric.name: metric for metric in metrics_for(expected)}


@pytest.mark.parametrize(
    ("expected", "form"),
    [
        (INTENTS, "json"),
        ([*INTENTS, "Sorry, I cannot."], "json"),
        (["Tom has 3.\n#### 3", "#### 7"], "number"),
        (["card", "loan", "card"], "short"),
        (["Dear customer,\nthank you for your message.", "Dear customer,\nwe are sorry."], "text"),
        ([*INTENTS[:3], "free text\nin two lines"], "text"),
        ([], "text"),
        (["", ""], "text"),
    ],
)
def test_the_form_is_what_four_in_five_answers_are(expected, form):
    assert answer_form(expected) == form


def test_json_answers_are_asked_for_keys_and_labels_and_the_words_of_their_texts():
    names = ["json_valid", "schema_keys", "field_accuracy", "field:intent", "field:urgent", "answer_overlap"]
    assert list(named(INTENTS)) == names + ALWAYS


def test_json_without_free_text_is_also_compared_as_a_whole():
    rows = [json.dumps({"intent": intent, "tags": [intent, "x"]}) for intent in ("card", "card", "loan", "loan")]
    metrics = named(rows)
    assert list(metrics)[:5] == ["json_valid", "schema_keys", "field_accuracy", "field:intent", "exact_match"]
    score = metrics["exact_match"].score
    assert score(rows[0], Answer('{"tags": ["card", "x"], "intent": "card"}', True)) == 1
    assert score(rows[0], Answer('{"tags": ["x", "card"], "intent": "card"}', True)) == 0
    assert score(rows[0], Answer('{"tags": ["card", "x"], "intent": "card", "why": 1}', True)) == 0
    assert list(named(["[1]", "[2]", "[1]"]))[:2] == ["json_valid", "exact_match"]


def test_labels_are_matched_exactly_and_short_texts_that_do_not_repeat_by_their_words_too():
    assert list(named(["card", "loan", "Card."])) == ["exact_match", *ALWAYS]
    assert list(named(["Paris", "Rome", "Oslo"])) == ["exact_match", "answer_overlap", *ALWAYS]


@pytest.mark.parametrize(
    ("answer", "scores"),
    [
        # json_valid, schema_keys, field_accuracy, field:intent, field:urgent, answer_overlap
        ('{"intent": "card", "urgent": true, "reply": "We will see to number 0."}', (1, 1, 1, 1, 1, 1)),
        ('{"intent": "card", "urgent": false, "reply": ""}', (1, 1, 0.5, 1, 0, 0)),
        ('{"intent": "card", "urgent": "true"}', (1, 0, 0.5, 1, 0, 0)),
        ('```json\n{"intent": "card", "urgent": true, "reply": "x"}\n```', (0, 0, 0, 0, 0, 0)),
        ("[]", (1, 0, 0, 0, 0, 0)),
        ("I think it is about a card.", (0, 0, 0, 0, 0, 0)),
    ],
)
def test_json_scores(answer, scores):
    metrics = list(named(INTENTS).values())[:6]
    assert tuple(m.score(INTENTS[0], Answer(answer, True)) for m in metrics) == scores


def test_what_is_not_json_in_a_json_set_is_not_scored_rather_than_scored_zero():
    metrics = named([*INTENTS, "Sorry, I cannot."])
    for name in ("json_valid", "schema_keys", "field:intent", "field_accuracy", "answer_overlap"):
        assert metrics[name].score("Sorry, I cannot.", Answer("Sorry.", True)) is None


def test_a_field_is_scored_where_it_is_expected_and_needs_a_fifth_of_the_rows_for_a_metric_of_its_own():
    rows = [json.dumps({"kind": "a"}), json.dumps({"kind": "b", "amount": 5})] + [json.dumps({"kind": "a"})] * 3
    metrics = named(rows)
    assert metrics["field:amount"].score(rows[0], Answer('{"kind": "a", "amount": 5}', True)) is None
    assert metrics["field:amount"].score(rows[1], Answer('{"kind": "a", "amount": 5.0}', True)) == 1
    fewer = named([*rows, rows[0]])
    assert "field:amount" not in fewer and "amount" in fewer["field_accuracy"].description


def test_worked_answers_are_right_when_their_number_is():
    metric = named(["3 + 4 = 7\n#### 7", "#### 1,000"])["exact_match"]
    assert metric.score("#### 1,000", Answer("The whole is\n#### 1000.0", True)) == 1
    assert metric.score("#### 1,000", Answer("It is 1000", True)) == 0


def test_what_every_answer_is_asked():
    metrics = named(["text\n" * 40, "more\n" * 40])
    cut = Answer("   ", stopped=False, loss=1.5)
    assert metrics["answer_loss"].score("text", cut) == 1.5 and metrics["answer_loss"].score("text", Answer("x", True)) is None
    assert (metrics["stopped"].score("text", cut), metrics["empty_answer"].score("text", cut)) == (0, 1)
    assert (metrics["length_ratio"].score("text", cut), metrics["length_ratio"].score("", cut)) == (0, None)


def test_estimates_leave_out_what_is_not_scored():
    metric = named(INTENTS)["json_valid"]
    assert (estimate(metric, [1, 0, None, 1], range(4)).mean, estimate(metric, [1, 0, None, 1], range(4)).n) == (pytest.approx(2 / 3), 3)
    assert estimate(metric, [None], [0]).mean is None
    difference = estimate_difference(metric, [0, 0, None, 1], [1, None, 1, 1], range(4))
    assert (difference.mean, difference.n) == (0.5, 2)


def test_every_metric_says_in_words_what_it_is():
    for expected in (INTENTS, ["#### 3"], ["a"], ["text\n" * 40]):
        for metric in metrics_for(expected):
            assert metric.title[0].isupper() and metric.description.endswith(".")
            assert metric.kind == "mean" or metric.bounds == (0, 1)
