"""Cases: which rows are asked, what is asked, and why the others are not."""

import json

import pyarrow as pa
import pytest

from pipelines.errors import WorkbenchError
from pipelines.evaluation import cases as module
from pipelines.evaluation.cases import EvaluationRows, decode, read_file, read_test_split, select_cases, turn_ends
from pipelines.records import Message, Record
from pipelines.store.tables import records_to_table, write_parquet
from tests.conftest import chat


@pytest.fixture
def train(tmp_path):
    path = tmp_path / "train.parquet"
    write_parquet(records_to_table([chat("Where is my card?", "On its way."), chat("", "A story.")]), path)
    return path


@pytest.fixture
def select(train, byte_chat):
    def select_rows(*records, **options):
        rows = EvaluationRows("these", [(record.id, record) for record in records])
        found = select_cases(rows, train, byte_chat, **({"context_tokens": None} | options))
        assert len(found.cases) + sum(found.excluded.values()) + found.not_drawn == len(records)
        return found

    return select_rows


def test_rows_seen_in_training_are_left_out_and_counted(select):
    found = select(
        chat("Where is my card?", "On its way."),  # the same row
        chat(" where is  my CARD?", "Another answer.", system="Be kind."),  # the same prompt in canonical form
        chat("Where is my loan?", "On its way."),
    )
    assert [case.prompt for case in found.cases] == ["Where is my loan?"]
    assert found.excluded == {module.SEEN: 2}


def test_every_answer_of_a_trained_conversation_was_seen_and_not_only_the_last(tmp_path, byte_chat):
    card = ("Where is my card?", "On its way.", "And my PIN?", "It comes apart.", "Thanks!", "You are welcome.")
    taught = chat(*card, system="Be kind.")
    unlearned = Record((Message("user", "Any fees?"), Message("assistant", "No.", weight=0), *chat("Really?", "Really.").messages))
    pair = Record(
        chat("Hello", "Hi!", "Bye").messages,
        kind="preference",
        chosen=chat("", "See you.").messages[1:],
        rejected=(Message("assistant", "?"),),
    )
    train = tmp_path / "train.parquet"
    write_parquet(records_to_table([chat("Where is my loan?", "Here."), taught, unlearned, pair]), train)
    rows = [
        chat("where is my CARD", "Another answer."),  # before the first answer, but for signs
        chat(*card[:3], "Another answer."),  # before the second
        chat(*card[:5], "Another answer."),  # before the last
        chat("Hello", "Another answer."),  # before the first of a preference pair
        chat("And my PIN?", "It comes apart."),  # taught only after another question
        chat(*card[:2], "And my loan?", "Here."),  # begins like a trained one
        chat("Any fees?", "No."),  # read, and not learned
    ]
    found = select_cases(EvaluationRows("these", [(row.id, row) for row in rows]), train, byte_chat, context_tokens=None)
    assert found.excluded == {module.SEEN: 4}
    assert [case.id for case in found.cases] == [row.id for row in rows[4:]]


def test_empty_prompts_are_not_taken_for_the_same(select):
    assert len(select(chat("", "Another story.")).cases) == 1


def test_a_row_that_stands_twice_is_asked_once(select):
    assert select(chat("a", "b"), chat("a", "b"), chat("c", "d")).excluded == {module.REPEATED: 1}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (chat("a", " "), module.EMPTY),
        (Record((Message("assistant", "Hello"),)), module.NOTHING_ASKED),
        (
            Record((Message("user", "a"), Message("assistant", "b"), Message("user", "c"), Message("assistant", "d", weight=0))),
            module.NOT_LEARNED,
        ),
        (chat("a"), "no answer to train on"),
        (Record((Message("user", "a"), Message("assistant", "b")), kind="unpaired", label=False), "the answer is marked as not wanted"),
        (chat("x" * 600, "y"), module.TOO_LONG),
    ],
)
def test_rows_that_cannot_be_asked_are_named_with_their_reason(select, record, reason):
    assert select(chat("fine", "fine"), record, context_tokens=512).excluded == {reason: 1}


def test_no_row_left_is_an_error_that_says_why(select):
    with pytest.raises(WorkbenchError, match="No row of these is left to evaluate on \\(1: seen in training\\)"):
        select(chat("Where is my card?", "On its way."))


def test_the_question_is_the_conversation_up_to_the_last_answer_as_the_model_is_trained_on_it(select, byte_chat):
    record = chat("Hi", "Hello!", "And my card?", '{"intent": "card"}', system="Be kind.")
    (case,) = select(record).cases
    prompt = byte_chat.tokenizer.decode(case.question.prompt)
    assert prompt == (
        "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello!<|im_end|>\n"
        "<|im_start|>user\nAnd my card?<|im_end|>\n<|im_start|>assistant\n"
    )
    assert byte_chat.tokenizer.decode(case.question.expected) == '{"intent": "card"}<|im_end|>'
    assert case.expected == '{"intent": "card"}' == decode(byte_chat, case.question.expected)


def test_a_preference_pair_is_asked_for_its_chosen_answer(select):
    pair = Record(
        (Message("user", "Hi"),), kind="preference", chosen=(Message("assistant", "Hello!"),), rejected=(Message("assistant", "What?"),)
    )
    assert select(pair).cases[0].expected == "Hello!"


def test_turn_ends_are_the_end_token_and_the_special_tokens_answers_end_with(byte_chat):
    names = byte_chat.tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>", "a"])
    assert turn_ends(byte_chat, [(names[2], names[1]), (names[2],), ()]) == {names[0], names[1]}


def test_a_draw_is_the_same_whatever_the_order_of_the_file_and_another_for_another_seed(select):
    records = [chat(f"question {n}", "answer") for n in range(30)]
    drawn = select(*records, limit=5, seed=1)
    assert (len(drawn.cases), drawn.not_drawn) == (5, 25)
    turned = select(*records[::-1], limit=5, seed=1)
    assert {c.id for c in drawn.cases} == {c.id for c in turned.cases} != {c.id for c in select(*records, limit=5, seed=2).cases}
    assert [c.prompt for c in drawn.cases] == [r.prompt for r in records if r.prompt in {c.prompt for c in drawn.cases}]


def test_a_draw_goes_on_until_it_has_rows_that_can_be_asked(select):
    records = [chat(f"question {n}", "answer" if n % 2 else " ") for n in range(30)]
    assert len(select(*records, limit=10).cases) == 10


def test_a_test_split_without_rows_is_an_error_with_a_next_step(tmp_path):
    write_parquet(records_to_table([]).append_column("group", pa.array([], pa.int64())), tmp_path / "test.parquet")
    with pytest.raises(WorkbenchError, match="no test rows"):
        read_test_split(tmp_path)


def test_a_file_is_read_in_any_format_that_can_be_imported(tmp_path):
    path = tmp_path / "hold-out.jsonl"
    rows = [{"instruction": "Say hi", "input": "", "output": "hi"}, {"instruction": "Say no", "input": "", "output": "no"}]
    path.write_text("\n".join(map(json.dumps, rows)) + "\nnot json\n")
    found = read_file(path)
    assert ([record.answer for _, record in found.rows], found.rejected, found.name) == (["hi", "no"], 1, "hold-out.jsonl")


def test_a_file_without_a_usable_row_is_an_error(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"a": 1}\n')
    with pytest.raises(WorkbenchError, match="No row of x"):
        read_file(tmp_path / "x.jsonl")
    with pytest.raises(WorkbenchError, match="no file or folder"):
        read_file(tmp_path / "nowhere.jsonl")
