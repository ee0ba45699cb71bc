"""Guessing columns: tables as people bring them, with names that no format knows."""

import pytest

from pipelines.sources.guess import Guess, guess_columns

LONG = "It is safe to take both, as long as the dose is halved and the patient is seen again within a week."


def rows(*columns: str, **texts: str) -> list[dict]:
    return [{column: texts.get(column.split()[0].lower(), f"some words {i}") for column in columns} for i in range(4)]


TABLES = [
    (["Case no.", "Question from colleague", "Our answer"], Guess("qa", {"question": "Question from colleague", "answer": "Our answer"})),
    (["Kundenfrage", "Antwort"], Guess("qa", {"question": "Kundenfrage", "answer": "Antwort"})),
    (["customerMessage", "agentReply"], Guess("qa", {"question": "customerMessage", "answer": "agentReply"})),
    (
        ["Question", "Background", "Our answer"],
        Guess("context_qa", {"context": "Background", "question": "Question", "answer": "Our answer"}),
    ),
    (["Ticket text", "Department"], Guess("classification", {"text": "Ticket text", "label": "Department"})),
    (["客户 问题", "答案"], Guess("qa", {"question": "客户 问题", "answer": "答案"})),
    (["Street", "House number"], None),
    (["Question"], None),
    (["Questionable", "Answerphone"], None),
]


@pytest.mark.parametrize(("columns", "guess"), TABLES, ids=lambda value: ", ".join(value) if isinstance(value, list) else "")
def test_the_words_in_the_names_say_what_a_column_holds(columns, guess):
    assert guess_columns(rows(*columns)) == guess


def test_of_two_answer_columns_the_one_with_the_texts_is_taken():
    table = [{"Question": "May I take both?", "Answer code": "A7", "Answer given": LONG}]
    assert guess_columns(table) == Guess("qa", {"question": "Question", "answer": "Answer given"})


def test_columns_that_hold_no_texts_are_no_guess():
    assert guess_columns([{"Question no": 1, "Answer no": 2}]) is None and guess_columns([]) is None
