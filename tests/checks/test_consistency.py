"""Checks that learn what is usual in a set: the format of answers, and labels."""

import json
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.checks import all_checks
from pipelines.checks._label_odds import label_odds
from pipelines.checks._majority import FEWEST_RECORDS, NOT_MEASURED, majorities, wilson_low
from pipelines.checks.answer_format import _NAMES, answer_forms
from pipelines.records import Record
from pipelines.store.tables import records_to_table
from tests.checks.measuring import SmallSet, answer, flags, measure

PROSE = "The invoice was sent on Monday, and the amount is due within two weeks."
JSON = '{"category": "billing", "reply": "It was sent."}'


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (JSON, "JSON"),
        (f"```json\n{JSON}\n```", "JSON in a code block"),
        (f"```\n{JSON}\n```", "JSON in a code block"),
        (f"Here you are:\n\n{JSON}", "JSON with words around it"),
        ('He wrote {name: "x"} on the board.', "plain text"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a table"),
        ("a | b means a or b.", "plain text"),
        ("```python\nprint(1)\n```", "code"),
        ("def add(a, b):\n    return a + b", "code"),
        ("# Titel\n\nEin Absatz.", "Markdown with headings"),
        ("#1 is the best of them all, they say.", "plain text"),
        ("Er zahlt 6 * 7 = 42 Euro dafür.\n#### 42", "plain text"),
        ("Zutaten:\n- Mehl\n- Eier", "a list"),
        ("1. 准备材料\n2. 开始烹饪", "a list"),
        ("一、准备材料。", "plain text"),
        ("- a dash at the start of one line only", "plain text"),
        ("It is **very** hot.", "text with **bold** words"),
        ("5 ** 2 ** 1 is twenty-five.", "plain text"),
        ("card_arrival", "a label (a word or number)"),
        ("balance_not_updated_after_cheque_or_cash_deposit", "a label (a word or number)"),
        ("reverted_card_payment?", "a label (a word or number)"),
        ("1,234.50", "a label (a word or number)"),
        ("正面", "a label (a word or number)"),
        ("Très positif", "a label (a word or number)"),
        ("我们会尽快处理您的问题。", "plain text"),
        (PROSE, "plain text"),
    ],
)
def test_the_form_of_an_answer(text, form):
    assert _NAMES[answer_forms(pa.chunked_array([[text]]))[0]] == form


def test_an_empty_answer_has_no_form():
    assert answer_forms(pa.chunked_array([["", " \n", None]], pa.string())).tolist() == [NOT_MEASURED] * 3


def test_the_format_is_learned_for_each_system_prompt():
    rows = [answer(JSON, f"Frage {i}", "Reply in JSON.") for i in range(60)] + [answer(PROSE, f"Frage {i}", "Be kind.") for i in range(60)]
    found = measure("answer_format", *rows, answer(PROSE, "Und?", "Reply in JSON."), answer(JSON, "Und?", "Be kind."), answer(" "))
    assert set(found.values[:120]) == {0.0}
    assert min(found.values[120:122]) > all_checks()["answer_format"].threshold
    assert found.values[122] is None
    assert found.evidence[120][0].note == "98 % of the answers to this system prompt are JSON; this one is plain text"
    assert found.evidence[120][0].turn == 2


def test_a_set_without_a_clear_format_and_a_small_set_are_left_alone():
    mixed = [answer(PROSE if i % 5 else "card_arrival", f"Frage {i}") for i in range(100)]
    assert flags("answer_format", *mixed) == [False] * 100
    assert set(measure("answer_format", *[answer(JSON)] * (FEWEST_RECORDS - 2), answer(PROSE)).values) == {None}


def test_a_question_may_ask_for_another_format_among_running_text_but_not_among_json():
    asked, unasked = "List three fruits.", "How are you today?"
    text = [answer(PROSE, f"Frage {i}", "Help.") for i in range(80)]
    fruits = "- Apfel\n- Birne"
    assert flags("answer_format", *text, answer(fruits, asked, "Help."), answer(fruits, unasked, "Help."))[80:] == [False, True]
    untasked = [answer(PROSE, f"Frage {i}") for i in range(80)]
    assert flags("answer_format", *untasked, answer(fruits, unasked), answer(JSON, unasked))[80:] == [False, True]
    strict = [answer(JSON, f"Frage {i}", "Help.") for i in range(80)]
    assert flags("answer_format", *strict, answer(fruits, asked, "Help."))[80:] == [True]


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_interval_lies_below_the_share_and_tightens_with_more_rows(hits, misses):
    total = hits + misses
    low = wilson_low(np.array([hits, 10 * hits]), np.array([total, 10 * total]))
    assert (low >= 0).all() and low[1] >= low[0] - 1e-12
    assert low[0] <= hits / max(total, 1) + 1e-12


def test_wilson_interval_of_a_known_case():
    assert wilson_low(np.array([90]), np.array([100]))[0] == pytest.approx(0.8256, abs=1e-4)  # Newcombe 1998, method 3


def test_rows_of_a_rare_system_prompt_are_compared_with_the_whole_set():
    forms = np.array([0] * 40 + [1])
    found = majorities(forms, pa.chunked_array([["a"] * 40, ["b"]]))
    assert found.usual.tolist() == [0] * 41
    assert not found.by_system[40]


@pytest.mark.parametrize(
    ("text", "flagged"),
    [
        ("6 * 7 = 42\n#### 42", False),
        ("6 * 7 = 42\n#### -1,042.5 ", False),
        ("6 * 7 = 42", True),
        (r"6 * 7 = 42, so \boxed{42}", True),
        ("6 * 7 = 42. The answer is 42.", True),
        ("6 * 7 = 42。答案是 42。", True),
        ("#### 42\nMoreover, it is even.", True),
    ],
)
def test_a_result_given_in_another_way_than_the_set_usually_does(text, flagged):
    usual = [answer(f"Also {i} + 1 = {i + 1}\n#### {i + 1}", f"Frage {i}") for i in range(60)]
    assert flags("final_answer_style", *usual, answer(text))[60] is flagged


def test_a_set_that_marks_no_results_is_left_alone():
    rows = [answer(f"{PROSE} {i}") for i in range(60)]
    assert flags("final_answer_style", *rows, answer("6 * 7 = 42\n#### 42")) == [False] * 61


def clouds(count: int, kinds: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors around as many directions as there are labels, and the labels."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % kinds
    vectors = np.eye(16)[labels] + 0.15 * rng.normal(size=(count, 16))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


def test_a_changed_label_stands_out_and_the_right_one_is_named():
    vectors, labels = clouds(400, 8)
    given_labels = labels.copy()
    given_labels[:20] = (given_labels[:20] + 3) % 8
    found = label_odds(vectors, given_labels, np.arange(400))
    assert np.median(found.odds[:20]) > 50
    assert found.odds[:20].min() > 10 > 1 > found.odds[20:].max()
    assert found.other[:20].tolist() == labels[:20].tolist()
    assert found.skill > 0.9


def test_copies_of_a_wrong_label_do_not_confirm_each_other():
    vectors, labels = clouds(400, 8)
    groups = np.arange(400)
    copies = np.arange(0, 400, 8)[:25]  # the same prompt 25 times, with the same wrong label
    vectors[copies], labels[copies], groups[copies] = vectors[0], 3, 0
    assert label_odds(vectors, labels, groups).odds[copies].min() > 50


def test_labels_that_the_vectors_do_not_tell_have_no_skill():
    vectors, labels = clouds(400, 4)
    assert label_odds(vectors, np.random.default_rng(1).permutation(labels), np.arange(400)).skill < 0.2


def questions() -> Iterator[tuple[str, str]]:
    """Prompts whose letters tell the label."""
    rng = np.random.default_rng(0)
    for i in range(120):
        letters = "abc" if i % 2 else "xyz"
        yield " ".join("".join(rng.choice(list(letters), 6)) for _ in range(6)), "first" if i % 2 else "zweite"


def labelled(*, as_json: bool) -> list[Record]:
    wrong = {"first": "zweite", "zweite": "first"}
    return [
        answer(json.dumps({"kind": label, "note": f"Notiz {i} {text}"}) if as_json else label, text)
        for i, (text, right) in enumerate(questions())
        for label in [wrong[right] if i in (7, 40) else right]
    ]


@pytest.mark.parametrize(("as_json", "field"), [(False, ""), (True, "kind: ")])
def test_a_wrong_label_is_found_in_plain_answers_and_in_a_field(as_json, field):
    rows = labelled(as_json=as_json)
    found = flags("label_error", *rows)
    assert [i for i, flagged in enumerate(found) if flagged] == [7, 40]
    shown = measure("label_error", *rows).evidence[7][0]
    assert shown.note == f"{field}labelled zweite, similar rows are labelled first"
    assert next(i for i, row in enumerate(rows) if row.id == shown.record) % 2 == 1


def test_upper_and_lower_case_are_the_same_label():
    rows = [
        answer(r.messages[-1].content.upper() if i % 3 else r.messages[-1].content, r.messages[0].content)
        for i, r in enumerate(labelled(as_json=False))
    ]
    assert [i for i, flagged in enumerate(flags("label_error", *rows)) if flagged] == [7, 40]


def test_labels_are_not_measured_in_free_answers_small_sets_and_where_prompts_do_not_tell():
    free = [answer(f"{PROSE} {i}", text) for i, (text, _) in enumerate(questions())]
    assert set(measure("label_error", *free).values) == {None}
    assert set(measure("label_error", *labelled(as_json=False)[:99]).values) == {None}
    rng = np.random.default_rng(0)
    guessed = [answer(str(rng.choice(["ja", "nein"])), text) for text, _ in questions()]
    assert set(measure("label_error", *guessed).values) == {None}


def test_rows_without_a_known_label_are_not_measured():
    table = records_to_table([*labelled(as_json=False), answer("", "abc abc"), answer("dritte", "abc bca")])
    found = all_checks()["label_error"].measure(SmallSet(table))
    assert found.values[120:] == [None, None]


class Paired(SmallSet):
    """Rows whose prompts and answers have vectors of their own."""

    def __init__(self, table: pa.Table, prompts: np.ndarray, answers: np.ndarray) -> None:
        super().__init__(table, prompts)
        self._answered = answers

    @property
    def answer_embeddings(self) -> np.ndarray:
        return self._answered


def pairs(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of prompts, and of answers near them."""
    rng = np.random.default_rng(0)
    prompts = rng.normal(size=(count, 24))
    answers = prompts + 0.4 * rng.normal(size=(count, 24))
    return tuple((each / np.linalg.norm(each, axis=1, keepdims=True)).astype(np.float32) for each in (prompts, answers))


def test_an_answer_to_another_question_is_found_and_short_answers_are_left_out():
    prompts, answers = pairs(200)
    answers[[3, 70, 150]] = answers[[70, 150, 3]]
    table = records_to_table([answer("Ja." if i == 9 else f"{PROSE} {i}", f"Frage {i}") for i in range(200)])
    found = all_checks()["answer_off_prompt"].measure(Paired(table, prompts, answers))
    assert [i for i, value in enumerate(found.values) if value is not None and value > 0.2] == [3, 70, 150]
    assert found.values[9] is None
    assert found.evidence[3][0].note.endswith("% of the other questions and answers fit better than this question and this answer")


def test_answers_are_not_measured_where_the_vectors_do_not_tell_which_belongs_to_which_question():
    prompts, answers = pairs(200)
    table = records_to_table([answer(f"{PROSE} {i}", f"Frage {i}") for i in range(200)])
    assert set(all_checks()["answer_off_prompt"].measure(Paired(table, prompts, np.roll(answers, 1, axis=0))).values) == {None}
    assert set(measure("answer_off_prompt", *[answer(f"{PROSE} {i}") for i in range(99)]).values) == {None}
