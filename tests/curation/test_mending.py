"""Fixes: each mends what its check found, leaves the rest alone, and hands over what only a person can know."""

import json

import pytest

from pipelines.checks import Batch, Evidence, all_checks
from pipelines.curation.mending import mend
from pipelines.records import Message, Record
from pipelines.store.tables import records_to_table
from tests.conftest import chat


def mended(check: str, *records: Record):
    found = all_checks()[check]
    measured = found.measure(Batch(records_to_table(list(records))))
    evidence = [[Evidence(**e) for e in json.loads(text or "[]")] for text in measured.evidence_json()]
    assert all(found.is_issue(value) for value in measured.values), "the row does not show the defect"
    return mend(found, records, evidence)


def answer_of(row) -> str | None:
    return None if row is None else row.edit[-1]["content"]


ANSWERS = [
    ("mojibake", "FranÃ§oise rief im BÃ¼ro an.", "Françoise rief im Büro an."),
    ("mojibake", "Der Preis: 12 â‚¬ netto", "Der Preis: 12 € netto"),
    ("mojibake", "Fran\ufffdoise called.", None),
    ("html_residue", "First<br>second &amp; third", "First\nsecond & third"),
    ("html_residue", "<p>Hello</p><p>there</p>", "Hello\nthere"),
    ("html_residue", "Two things:<ul><li>one</li><li>two</li></ul>", "Two things:\n- one\n- two"),
    ("html_residue", "Press <b>Save</b> now.", "Press Save now."),
    ("control_tokens", "Sure.<|im_end|>", "Sure."),
    ("control_tokens", "<|im_start|>assistant\nSure.<|im_end|>", "Sure."),
    ("control_tokens", "Hi<|im_end|>\n<|im_start|>user\nAnd you?<|im_end|>\n<|im_start|>assistant\nFine", None),
    ("control_tokens", "Sure.</s>\nHow can you ask?", None),
    ("html_residue", "Do this:</p>\n\n<ol>\n<li><p>Install it</p></li>\n<li>Run it</li></ol>", "Do this:\n\n- Install it\n- Run it"),
    ("unbalanced_fence", "```js\nrun();```", "```js\nrun();\n```"),
    ("unbalanced_fence", "Run this:\n```bash\nls -l\n", "Run this:\n```bash\nls -l\n```"),
    ("ai_boilerplate", "As an AI language model, I suggest two coats of paint.", "I suggest two coats of paint."),
    ("ai_boilerplate", "Paint it. As of my last update in 2021, the shade is sold in May.", "Paint it. The shade is sold in May."),
    ("ai_boilerplate", "I, as an AI language model, suggest two coats.", "I suggest two coats."),
    ("ai_boilerplate", "Sadly, as an AI language model, I like paint.", "Sadly, I like paint."),
    ("ai_boilerplate", "I am an AI language model, so I like paint.", None),
    ("ai_boilerplate", "抱歉，作为一个AI语言模型，我建议刷漆。", "抱歉，我建议刷漆。"),
    ("ai_boilerplate", "作为一个AI语言模型，我建议刷两遍油漆。", "我建议刷两遍油漆。"),
    ("invalid_json", '{"a": "x", "b": [1, 2,]}', '{"a": "x", "b": [1, 2]}'),
    ("invalid_json", "{'a': 'x', 'b': true}", '{"a": "x", "b": true}'),
    ("invalid_json", '```json\n{"a": 1,}\n```', '```json\n{"a": 1}\n```'),
    ("invalid_json", '{"a": "the answer stops he', None),
    ("invalid_json", '{"a": 1, "a": 2}', None),
]  # fmt: skip


@pytest.mark.parametrize(("check", "before", "after"), ANSWERS)
def test_a_fix_mends_the_answer_or_hands_it_over(check, before, after):
    (row,) = mended(check, chat("How many coats?", before))
    assert answer_of(row) == after


def roles(row) -> list[str] | None:
    return None if row is None else [f"{turn['role']}:{turn['content']}" for turn in row.edit]


def turns(*said: str) -> Record:
    return Record(tuple(Message(*one.split(":", 1)) for one in said))


CONVERSATIONS = [
    ("role_order", turns("user:Hello", "user:Are you there?", "assistant:Yes."), ["user:Hello\n\nAre you there?", "assistant:Yes."]),
    ("role_order", turns("user:Hello", "system:Be kind.", "assistant:Hi."), ["system:Be kind.", "user:Hello", "assistant:Hi."]),
    ("role_order", turns("assistant:Yes?", "user:Hello"), None),
    ("unknown_role", turns("customer:Hello", "bot:Hi."), ["user:Hello", "assistant:Hi."]),
    ("unknown_role", turns("user:Hello", "ghost:Boo", "assistant:Hi."), None),
    ("last_turn_not_answer", turns("user:Hello", "assistant:Hi.", "user:Bye"), ["user:Hello", "assistant:Hi."]),
    ("empty_turn", turns("user:Hello", "assistant:Hi.", "user: ", "assistant:Anything else?"), None),  # two answers in a row
    ("empty_turn", turns("system:", "user:Hello", "assistant:Hi."), ["user:Hello", "assistant:Hi."]),
    ("empty_turn", turns("user:Hello", "assistant: "), None),
    (
        "prompt_echo",
        turns("user:How many coats of paint does the door need?", "assistant:How many coats of paint does the door need? Answer: two."),
        ["user:How many coats of paint does the door need?", "assistant:two."],
    ),
    ("prompt_echo", turns("user:How many coats does the door need?", "assistant:How many coats does the door need?"), None),
]  # fmt: skip


@pytest.mark.parametrize(("check", "record", "after"), CONVERSATIONS)
def test_a_fix_mends_the_conversation_or_hands_it_over(check, record, after):
    (row,) = mended(check, record)
    assert roles(row) == after


def test_a_fix_of_a_preference_pair_reaches_its_chosen_answer_and_not_the_rejected_one():
    bad = Message("assistant", "First<br>second")
    (row,) = mended("html_residue", Record((Message("user", "Name two"),), "preference", chosen=(bad,), rejected=(bad,)))
    assert roles(row) == ["user:Name two", "assistant:First\nsecond"]


def test_a_change_names_the_turn_and_shows_it_before_and_after():
    (row,) = mended("control_tokens", chat("Hello", "Hi.<|im_end|>"))
    assert row.changes == [(1, "assistant: Hi.<|im_end|>", "assistant: Hi.")]


def test_a_fix_that_breaks_something_else_is_not_offered():
    """Without its empty answer the conversation would have two questions in a row."""
    (row,) = mended("empty_turn", turns("user:Hello", "assistant:", "user:Hello?", "assistant:Hi."))
    assert row is None
