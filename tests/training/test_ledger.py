import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import WorkbenchError
from pipelines.records import Message, Record
from pipelines.tokens.example import EMPTY_ANSWERS, IGNORED, NO_ANSWER
from pipelines.training.ledger import TOO_LONG, Ledger, Truncation, labels_are_masked, tokenise_split, warnings
from tests.training.conftest import exchange

SHORT, LONG = exchange("hi", "yo"), exchange("hi", "y" * 100)
OVERHEAD = len("user\nhi") + len("assistant\n") + 5
"""Tokens of SHORT outside its answer's text: two turn starts and ends, two newlines but for the last one's."""


def split(records, chat, **settings):
    return tokenise_split(((f"r{i}", record) for i, record in enumerate(records)), chat, **{"split": "train", "max_length": 60} | settings)


def test_every_row_is_either_trained_or_dropped_by_name(chat):
    no_answer, empty = Record((Message("user", "q"),)), exchange("q", " ")
    table, ledger = split([SHORT, LONG, no_answer, empty, SHORT], chat)
    assert table.column("row").to_pylist() == ["r0", "r4"]
    assert ledger.dropped == {TOO_LONG: ("r1",), NO_ANSWER: ("r2",), EMPTY_ANSWERS: ("r3",)}
    assert (ledger.rows_in, ledger.trained, ledger.dropped_rows) == (5, 2, 3)
    ledger.verify()


roles = st.sampled_from(["system", "user", "assistant", "tool", "bot"])
turns = st.lists(st.builds(Message, roles, st.text(max_size=30)), max_size=4).map(tuple)
records = st.builds(Record, turns, st.sampled_from(["chat", "preference", "unpaired"]), label=st.sampled_from([True, False, None]))


@given(st.lists(records, max_size=12), st.integers(5, 80), st.sampled_from(["drop", "truncate"]))
def test_the_ledger_balances_for_any_rows(chat, rows, max_length, over_length):
    table, ledger = split(rows, chat, max_length=max_length, over_length=over_length)
    assert ledger.balances and ledger.rows_in == len(rows)
    trained, dropped = table.column("row").to_pylist(), [row for ids in ledger.dropped.values() for row in ids]
    assert sorted(trained + dropped) == sorted(f"r{i}" for i in range(len(rows)))
    assert ledger.tokens == sum(map(len, table.column("input_ids").to_pylist()))
    assert all(any(label != IGNORED for label in labels[1:]) for labels in table.column("labels").to_pylist())
    assert labels_are_masked(table)
    assert Ledger.from_json(json.loads(json.dumps(ledger.to_json()))) == ledger


def test_a_cut_row_is_named_with_what_it_lost(chat):
    full, _ = split([LONG], chat, max_length=1000)
    tokens = full.column("tokens").to_pylist()[0]
    trailing = (*exchange("hi", "yo").messages, Message("user", "x" * 100))
    table, ledger = split([LONG, Record(trailing)], chat, max_length=50, over_length="truncate")
    lost_answer, lost_question = ledger.truncated
    assert lost_answer == Truncation("r0", tokens - 50, end_lost=True)
    assert lost_question.row == "r1" and not lost_question.end_lost
    assert table.column("tokens").to_pylist() == [50, 50]


def test_a_row_cut_before_its_answer_is_dropped(chat):
    _, ledger = split([exchange("q" * 100, "a")], chat, max_length=50, over_length="truncate")
    assert ledger.trained == 0 and list(ledger.dropped) == ["too long: no token of an answer is left to train on"]


def test_a_ledger_that_does_not_add_up_blocks(chat):
    _, ledger = split([SHORT, SHORT], chat)
    with pytest.raises(WorkbenchError, match="do not add up"):
        dataclasses.replace(ledger, rows_in=3).verify()
    with pytest.raises(WorkbenchError, match="do not add up"):
        dataclasses.replace(ledger, rows_in=4, dropped={"a": ("r1",), "b": ("r1",)}).verify()


def test_nothing_left_to_train_blocks_with_the_reasons(chat):
    _, ledger = split([LONG, LONG, Record((Message("user", "q"),))], chat)
    with pytest.raises(WorkbenchError, match="2 too long, 1 no answer to train on"):
        ledger.verify()


def test_a_label_that_is_not_its_token_is_noticed(chat):
    import pyarrow as pa

    table, _ = split([SHORT], chat)
    assert labels_are_masked(table)
    wrong = pa.array([[7] * table.column("tokens")[0].as_py()], table.schema.field("labels").type)
    assert not labels_are_masked(table.set_column(2, table.schema.field("labels"), wrong))


def test_warnings_name_few_steps_small_validation_and_heavy_rows(chat):
    _, train = split([SHORT] * 30 + [exchange("q", "a" * 400)] * 8, chat, max_length=1000)
    _, validation = split([SHORT] * 3, chat, split="validation")
    found = " ".join(warnings(train, validation, steps=5, both=2))
    for part in ("only 5 steps", "only 3 rows", "8 longest rows hold", "2 rows stand in both"):
        assert part in found
    _, enough = split([SHORT] * 40, chat)
    assert warnings(enough, enough, steps=60) == ()
    assert "no validation split" in warnings(enough, None, steps=60)[0]


def test_warnings_name_dropped_cut_and_marked_rows(chat):
    typed = exchange("say <|im_end|>", "no")
    _, ledger = split([SHORT, LONG, typed, Record((Message("user", "q"),))], chat, max_length=50, over_length="truncate")
    found = " ".join(warnings(ledger, None, steps=60))
    assert "1 of 4 train rows will not be used: 1 no answer to train on" in found
    assert "1 train rows are cut" in found and "1 of them lose the end" in found
    assert "1 train rows have control tokens" in found
