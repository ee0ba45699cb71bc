"""Checks that see the whole set: lengths, duplicates, conflicts, topics."""

import json

import numpy as np
import pytest

from pipelines.checks import all_checks
from pipelines.records import Message, Record
from pipelines.store.tables import records_to_table
from tests.checks.measuring import SmallSet, answer, evidence, flags, measure

LONG = "We are looking into the certificate of your shop and will write as soon as it is renewed"


def triage(prompt: str, category: str, human: bool, reply: str = "We look into it.") -> Record:
    return answer(json.dumps({"category": category, "needs_human": human, "reply": reply}, ensure_ascii=False), prompt)


def notes(check: str, *records: Record) -> list[tuple[str | None, str] | None]:
    """Per record: position of the record compared with, and the note."""
    found = measure(check, *records)
    ids = [record.id for record in records]
    return [(str(ids.index(spans[0].record)), spans[0].note) if spans else None for spans in found.evidence]


@pytest.mark.parametrize("check", ["answer_length_outlier", "prompt_length_outlier"])
def test_length_outliers(check):
    def record(words: int) -> Record:
        text = "und " * words
        return answer(text, "same") if check.startswith("answer") else answer("same", text)

    usual = [record(40 + i % 30) for i in range(100)]
    found = measure(check, *usual, record(1), record(4000), Record((Message("user", " "),)))
    assert max(found.values[:100]) < 3
    assert min(found.values[100:102]) > all_checks()[check].threshold
    assert found.values[102] is None
    assert found.evidence[101][0].note.startswith("15,999 characters; half of the set has 183 to 243, ")


def test_length_outliers_need_a_set_and_bear_equal_lengths():
    assert set(measure("answer_length_outlier", *[answer("x" * n) for n in range(1, 50)]).values) == {None}
    assert set(measure("answer_length_outlier", *[answer(f"answer {i:03}") for i in range(60)]).values) == {0.0}
    mostly = measure("answer_length_outlier", *[answer(f"answer {i:03}") for i in range(60)], answer("x" * 5000)).values
    assert mostly[-1] > 4 > mostly[0]


def test_where_lengths_hardly_differ_a_text_of_twice_the_length_is_still_usual():
    alike = [answer("x" * (1_000 + i % 5)) for i in range(60)]
    assert measure("answer_length_outlier", *alike, answer("x" * 1_700), answer("x" * 3_000)).values[-2] < 4
    assert measure("answer_length_outlier", *alike, answer("x" * 1_700), answer("x" * 3_000)).values[-1] > 4


def test_exact_duplicates_flag_all_but_the_first():
    rows = [answer("Grüße aus Hull."), answer("Ja."), answer("grüße  aus hull."), answer("Grüße aus Hull!"), answer("Grüße aus Hull.\n")]
    assert flags("exact_duplicate", *rows) == [False, False, True, False, True]
    assert notes("exact_duplicate", *rows) == [None, None, ("0", "the same text"), None, ("0", "the same text")]


def test_near_duplicates_point_at_the_most_similar_earlier_row():
    rows = [
        answer(LONG),
        answer(f"{LONG} again"),
        answer(f"{LONG} again and well"),
        answer("我们会尽快处理您的问题。"),
        answer("Something else entirely."),
    ]
    assert flags("near_duplicate", *rows) == [False, True, True, False, False]
    found = notes("near_duplicate", *rows)
    assert found[0] is found[3] is found[4] is None
    assert [found[1][0], found[2][0]] == ["0", "1"]


BACKGROUND = " ".join(f"Finding {i} of the ward round was noted by hand." for i in range(20))
ASKED = f"{BACKGROUND}\n\nShould the dose be raised?"


def test_a_long_question_in_common_does_not_make_two_answers_near_duplicates():
    rows = [
        answer("Raise it slowly while the pressure is watched every morning.", ASKED),
        answer("Wait for the blood count, then ask the pharmacist.", ASKED),
        answer("Raise it slowly while the pressure is watched each morning.", ASKED),
    ]
    assert flags("near_duplicate", *rows) == [False, False, True]
    assert notes("near_duplicate", *rows)[2][0] == "0"
    assert flags("other_answer", *rows) == [True, True, True]
    assert [found[0] for found in notes("other_answer", *rows)] == ["1", "2", "1"]


def test_other_answers_are_sought_among_equal_and_nearly_equal_questions():
    rows = [
        answer("Paris, on the Seine.", "The capital?"),
        answer("London, I believe.", "the  capital?"),
        answer("Oslo it is.", "The colour?"),
    ]
    assert flags("other_answer", *rows) == [True, True, False]
    nearly = [answer("Take it at night.", ASKED), answer("Nobody knows that yet.", ASKED.replace("raised", "lowered"))]
    assert flags("other_answer", *nearly) == [True, True]
    declined = [
        answer(
            "I'm sorry, but I can't book a flight for you. My functions are limited to looking up the news of the day.", "Book a flight."
        ),
        answer(
            "Unfortunately, I am not able to do that, as I have no access to any airline. I can help you count calories.", "Book a flight."
        ),
    ]
    assert flags("other_answer", *declined) == [False, False], "two ways to say no"
    empty = [answer("One thing.", " "), answer("Quite another.", " "), answer("", "Why?"), answer("Because it rained.", "Why?")]
    assert flags("other_answer", *empty) == [False] * 4


@pytest.mark.parametrize(
    "contrary",
    [
        "On the contrary: our cases show the opposite.",
        "This is not true, we saw no effect.",
        "Im Gegenteil, es schadet.",
        "Au contraire, cela nuit.",
    ],
)
def test_an_answer_that_begins_with_the_contrary_conflicts(contrary):
    rows = [answer("The treatment helps most patients with mild disease.", "Does it help?"), answer(contrary, "Does it help?")]
    assert flags("conflicting_answers", *rows) == [True, True]
    assert notes("conflicting_answers", *rows)[1] == ("0", "one says the contrary")


@pytest.mark.parametrize(
    ("one", "other", "note"),
    [
        ("Yes, it is included.", "No, you have to buy it.", "yes or no"),
        ("Ja, das geht.", "Nein, das geht nicht.", "yes or no"),
        ("是的，可以。", "不是，需要另外购买。", "yes or no"),
        ("pending_top_up", "top_up_reverted", "pending_top_up or top_up_reverted"),
        ("Paris", "Lyon", "Paris or Lyon"),
        ("She sold 48 and 24.\n#### 72", "She sold 48 and 23.\n#### 71", "72 or 71"),
        ("So 4 x 20 = <<4*20=80>>80 pens.\n#### 80", "So 4 x 20 = <<4*20=80>>80 pens.\n#### 156", "80 or 156"),
        ("Take 5 mg of it twice a day with water.", "Take 50 mg of it twice a day with water.", "5 or 50"),
        ("You may open the lid while it is hot.", "You may not open the lid while it is hot.", "one says not, the other does not"),
        ("Open Domains, choose the name and press Renew.", "I'm sorry, but I can't help with that.", "one answers, the other declines"),
    ],
)
def test_conflicting_answers(one, other, note):
    rows = [answer(one, "What now?"), answer("Other things.", "Why?"), answer(other, "what  now?")]
    assert flags("conflicting_answers", *rows) == [True, False, True]
    assert notes("conflicting_answers", *rows)[2] == ("0", note)
    assert notes("conflicting_answers", *rows)[0][0] == "2"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Roses are red, violets are blue, and so are you.", "The moon climbs over the hill without a sound tonight."),
        ("Paris", "It is Paris."),
        ("Open the lid and take it out.", "Take it out once the lid is open."),
        ("I'm sorry, but I can't help with that.", "I'm sorry, but as an AI I am unable to do it."),
        ("for (i = 0; i < 5; i++) { total(i); }", "for (i = 1; i <= 5; i++) { total(i); }"),
        ("Der Zug fährt um acht.", "der zug fährt um acht"),
    ],
)
def test_answers_that_merely_differ_do_not_conflict(one, other):
    assert flags("conflicting_answers", answer(one, "What now?"), answer(other, "What now?")) == [False, False]


def test_conflicting_answers_compare_the_labels_of_json():
    usual = [triage(f"Question number {i}", ["billing", "ssl"][i % 2], i % 3 == 0, f"Reply {i} to you") for i in range(20)]
    odd = [
        triage("Charged twice?", "billing", True),
        triage("Charged twice?", "ssl", True, "Wir prüfen es."),
        triage("Paid?", "ssl", False),
        triage("Paid?", "ssl", False, "Yes."),
    ]
    found = measure("conflicting_answers", *usual, *odd)
    assert found.values[20:22] == [0.75, 0.75]
    assert found.evidence[21][0].note == "category: billing or ssl"
    assert max(found.values[:20] + found.values[22:]) <= 0.5


def test_conflicting_answers_flag_all_of_a_question():
    rows = [answer(text, "Is it far?") for text in ("Yes.", "No.", "Yes.", "Yes, very.")]
    assert flags("conflicting_answers", *rows[:2], rows[3]) == [True, True, True]


def test_conflicting_answers_see_labels_of_nearly_the_same_question():
    question = "I transferred some money to my sister on Monday but it has not arrived"
    one, other = answer("transfer_pending", question), answer("transfer_failed", f"{question} yet")
    number = answer("transfer_other", question.replace("some", "500"))
    assert flags("conflicting_answers", one, other) == [True, True]
    assert flags("conflicting_answers", one, number) == [False, False]


def test_conflicting_answers_leave_out_unwanted_answers_and_empty_questions():
    def rated(text: str, wanted: bool) -> Record:
        return Record((Message("user", "Is it far?"), Message("assistant", text)), kind="unpaired", label=wanted)

    assert flags("conflicting_answers", rated("Yes.", True), rated("No.", False)) == [False, False]
    assert flags("conflicting_answers", rated("Yes.", True), rated("No.", True)) == [True, True]
    assert flags("conflicting_answers", answer("Yes.", " "), answer("No.", " ")) == [False, False]


def cloud(count: int, seed: int) -> np.ndarray:
    """Unit vectors near one direction."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, 32)) * 0.1
    vectors[:, seed] += 1
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_off_topic_finds_the_row_that_is_far_from_all():
    stranger = np.eye(32, dtype=np.float32)[31:]
    vectors = np.vstack([cloud(150, 0), cloud(150, 1), stranger])
    table = records_to_table([answer("ok", f"question {i}") for i in range(301)])
    found = all_checks()["off_topic"].measure(SmallSet(table, vectors))
    assert found.values[300] == max(found.values) > 10
    assert sum(all_checks()["off_topic"].is_issue(value) for value in found.values[:300]) <= 6
    assert found.evidence[300][0].note.startswith("its prompt is 2")


def test_off_topic_gives_much_the_same_when_neighbours_are_drawn_from_a_large_set(monkeypatch):
    import pipelines.checks.off_topic as module

    vectors = np.vstack([cloud(1500, 0), np.eye(32, dtype=np.float32)[31:]])
    whole = module.nearness(vectors)
    monkeypatch.setattr(module, "_REFERENCE", 400)
    drawn = module.nearness(vectors)
    assert np.corrcoef(whole, drawn)[0, 1] > 0.9
    assert drawn.argmin() == whole.argmin() == 1500


def test_off_topic_sees_an_answer_that_is_far_from_all_and_bears_rows_without_one():
    class Answered(SmallSet):
        answer_embeddings = np.vstack([cloud(150, 0), cloud(150, 1), np.eye(32, dtype=np.float32)[31:]])

    table = records_to_table([answer("ok" if i else " ", f"question {i}") for i in range(301)])
    found = all_checks()["off_topic"].measure(Answered(table, cloud(301, 2)))
    assert found.values[300] == max(found.values) > 10
    assert found.evidence[300][0].note.startswith("its answer is 2")
    assert np.isfinite(found.values[0])


def test_off_topic_is_not_measured_in_small_sets_and_calm_in_equal_ones():
    small = records_to_table([answer("ok", f"Frage {i}") for i in range(49)])
    equal = records_to_table([answer(f"ok {i}", "Frage") for i in range(60)])
    assert set(all_checks()["off_topic"].measure(SmallSet(small)).values) == {None}
    assert set(all_checks()["off_topic"].measure(SmallSet(equal)).values) == {0.0}


def test_whole_set_checks_point_at_the_last_answer():
    record = Record(
        (
            Message("system", "s"),
            Message("user", "Is it far?"),
            Message("assistant", "Well."),
            Message("user", "So?"),
            Message("assistant", "Yes."),
        )
    )
    other = Record((*record.messages[:4], Message("assistant", "No.")))
    assert [spans[0].turn for spans in measure("conflicting_answers", record, other).evidence] == [4, 4]
    assert evidence("conflicting_answers", record) == []
