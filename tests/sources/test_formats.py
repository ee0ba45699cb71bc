"""Golden rows: what each format becomes, message by message, and the sentence for what it cannot be."""

import json

import pytest

from pipelines.records import Message, Record
from pipelines.sources.convert import Converter
from pipelines.sources.formats import FORMATS
from pipelines.sources.recognise import recognise
from pipelines.sources.rows import RawRow, Rejection


def read(row: dict, **options) -> tuple[str, Record] | str:
    """The format and record of one row, or why there is none."""
    seen = recognise([row], **options)
    converter = Converter(seen.form, is_asked=options.get("asked", "auto") != "auto", mapping=options.get("mapping") or {})
    (found,) = converter.convert(RawRow("a.jsonl", 1, row))
    return found.reason if isinstance(found, Rejection) else found


def s(text: str) -> Message:
    return Message("system", text)


def u(text: str) -> Message:
    return Message("user", text)


def a(text: str, **more: str | int) -> Message:
    return Message("assistant", text, **more)


CALL = '[{"function":{"arguments":"{\\"b\\": 1, \\"a\\": [2]}","name":"add"},"type":"function"}]'


def called(id: str) -> str:
    """CALL with an id."""
    return CALL.replace('"type":', f'"id":"{id}","type":')


TOOLS = '[{"function":{"name":"add","parameters":{}},"type":"function"}]'
RANKED = {"responses": ["bad", "best", "so-so"]}
GOLDEN = {
    "openai": [
        ({"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}, Record((u("Q"), a("A")))),
        (
            {
                "messages": [{"role": "developer", "content": "S"}, {"role": "User", "content": "Q"}, {"role": "bot", "content": "A"}],
                "id": 7,
            },
            Record((s("S"), u("Q"), Message("bot", "A")), meta={"id": 7}),
        ),
        ({"messages": [{"role": "user", "content": ""}, {"role": "assistant", "content": None}]}, Record((u(""), a("")))),
        ({"messages": [{"role": "assistant", "content": "A"}, {"role": "assistant", "content": "B"}]}, Record((a("A"), a("B")))),
        ({"messages": [{"role": "user", "content": "no answer"}]}, Record((u("no answer"),))),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "Q1 "}, {"type": "text", "text": "Q2"}]}]},
            Record((u("Q1 Q2"),)),
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": "Q"},
                    {
                        "role": "assistant",
                        "content": None,
                        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}],
                    },
                    {"role": "tool", "tool_call_id": "c1", "name": "add", "content": "3"},
                    {"role": "assistant", "content": "A", "weight": 0},
                ],
                "tools": [{"type": "function", "function": {"name": "add", "parameters": {}}}],
            },
            Record(
                (
                    u("Q"),
                    a("", tool_calls='[{"function":{"arguments":"{}","name":"add"},"id":"c1","type":"function"}]'),
                    Message("tool", "3", name="add", tool_call_id="c1"),
                    a("A", weight=0),
                ),
                tools=TOOLS,
            ),
        ),
        (
            {"messages": [{"role": "assistant", "content": "", "function_call": {"name": "add", "arguments": {"b": 1, "a": [2]}}}]},
            Record((a("", tool_calls=CALL),)),
        ),
        ({"messages": '[{"role": "user", "content": "as JSON text"}]'}, Record((u("as JSON text"),))),
        (
            {"conversations": [{"role": "human", "content": "Q"}, {"role": "gpt", "content": "A"}], "system": "S"},
            Record((s("S"), u("Q"), a("A"))),
        ),
        ({"messages": {"role": ["user", "assistant"], "content": ["Q", "A"]}}, Record((u("Q"), a("A")))),
    ],
    "sharegpt": [
        ({"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]}, Record((u("Q"), a("A")))),
        (
            {
                "conversations": [
                    {"from": "system", "value": "S"},
                    {"from": "prompter", "value": "Q"},
                    {"from": "function_call", "value": '{"name": "add", "arguments": {"b": 1, "a": [2]}}'},
                    {"from": "observation", "value": "3"},
                    {"from": "chatgpt", "value": "A"},
                    {"from": "narrator", "value": "N"},
                ],
                "tools": '[{"name": "add", "parameters": {}}]',
            },
            Record(
                (
                    s("S"),
                    u("Q"),
                    a("", tool_calls=called("call00001")),
                    Message("tool", "3", tool_call_id="call00001"),
                    a("A"),
                    Message("narrator", "N"),
                ),
                tools=TOOLS,
            ),
        ),
        (
            {
                "conversations": [{"from": "human", "value": "Q"}, {"from": "function_call", "value": "add(1)"}],
                "system": "S",
                "tools": "[]",
            },
            Record((s("S"), u("Q"), a("", tool_calls='[{"function":{"arguments":"add(1)","name":""},"type":"function"}]'))),
        ),
        ({"conversations": {"from": ["human"], "value": ["Q"]}}, Record((u("Q"),))),
    ],
    "alpaca": [
        ({"instruction": "I", "input": "", "output": "O"}, Record((u("I"), a("O")))),
        ({"instruction": "I", "input": "X", "response": "O"}, Record((u("I\n\nX"), a("O")))),
        ({"instruction": "I", "input": "<noinput>", "output": "O"}, Record((u("I"), a("O")))),
        (
            {"instruction": "I", "input": None, "output": None, "system": "S", "history": [["Q1", "A1"]]},
            Record((s("S"), u("Q1"), a("A1"), u("I"), a(""))),
        ),
        (
            {"instruction": "I", "output": "O", "history": [{"question": "Q1", "answer": "A1"}]},
            Record((u("Q1"), a("A1"), u("I"), a("O"))),
        ),
        (
            {"instruction": "I", "output": "O", "history": [{"role": "user", "content": "Q1"}, {"role": "assistant", "content": "A1"}]},
            Record((u("Q1"), a("A1"), u("I"), a("O"))),
        ),
        (
            {"instruction": "I", "context": "C", "response": "O", "category": "open_qa"},
            Record((u("I\n\nC"), a("O")), meta={"category": "open_qa"}),
        ),
    ],
    "qa": [
        ({"question": "Q", "answer": "A"}, Record((u("Q"), a("A")))),
        ({"QUESTION": "Q", "Answer": 42, "YEAR": 2011}, Record((u("Q"), a("42")), meta={"YEAR": 2011})),
        ({"system_prompt": "S", "question": "Q", "response": "A", "id": "x"}, Record((s("S"), u("Q"), a("A")), meta={"id": "x"})),
    ],
    "prompt_completion": [
        ({"prompt": "P", "completion": "C"}, Record((u("P"), a("C")))),
        ({"input": "P", "output": "C"}, Record((u("P"), a("C")))),
        ({"prompt": "P", "input": "X", "response": True}, Record((u("P\n\nX"), a("true")))),
        (
            {
                "prompt": [{"role": "system", "content": "S"}, {"role": "user", "content": "P"}],
                "completion": [{"role": "assistant", "content": "C"}],
            },
            Record((s("S"), u("P"), a("C"))),
        ),
        ({"prompt": "P", "completion": "C", "label": 3}, Record((u("P"), a("C")), meta={"label": 3})),
    ],
    "preference": [
        ({"prompt": "P", "chosen": "C", "rejected": "R"}, Record((u("P"),), "preference", chosen=(a("C"),), rejected=(a("R"),))),
        (
            {"system": "S", "question": "P", "chosen": "C", "rejected": "R"},
            Record((s("S"), u("P")), "preference", chosen=(a("C"),), rejected=(a("R"),)),
        ),
        (
            {"instruction": "I", "input": "X", "chosen": "C", "rejected": "R"},
            Record((u("I\n\nX"),), "preference", chosen=(a("C"),), rejected=(a("R"),)),
        ),
        (
            {
                "conversations": [{"from": "human", "value": "P"}],
                "chosen": {"from": "gpt", "value": "C"},
                "rejected": {"from": "gpt", "value": "R"},
            },
            Record((u("P"),), "preference", chosen=(a("C"),), rejected=(a("R"),)),
        ),
        (
            {
                "prompt": "P",
                "chosen": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "C"}],
                "rejected": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "R"}],
            },
            Record((u("P"),), "preference", chosen=(a("C"),), rejected=(a("R"),)),
        ),
        (
            {
                "chosen": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "same"}],
                "rejected": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "same"}],
                "score": 1.5,
            },
            Record((u("P"),), "preference", chosen=(a("same"),), rejected=(a("same"),), meta={"score": 1.5}),
        ),
        (
            {"chosen": "\n\nHuman: P\n\nAssistant: C", "rejected": "\n\nHuman: P\n\nAssistant: R"},
            Record((u("P"),), "preference", chosen=(a("C"),), rejected=(a("R"),)),
        ),
        (
            {
                "input": {"messages": [{"role": "user", "content": "P"}], "tools": [{"name": "add", "parameters": {}}]},
                "preferred_output": [{"role": "assistant", "content": "C"}],
                "non_preferred_output": [{"role": "assistant", "content": "R"}],
            },
            Record((u("P"),), "preference", tools=TOOLS, chosen=(a("C"),), rejected=(a("R"),)),
        ),
    ],
    "unpaired_preference": [
        (
            {"messages": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "C"}], "label": False},
            Record((u("P"), a("C")), "unpaired", label=False),
        ),
        ({"prompt": "P", "completion": "C", "label": "True"}, Record((u("P"), a("C")), "unpaired", label=True)),
        ({"instruction": "I", "input": "X", "output": "O", "kto_tag": 1}, Record((u("I\n\nX"), a("O")), "unpaired", label=True)),
    ],
    "classification": [
        ({"text": "T", "category": "card"}, Record((u("T"), a("card")))),
        ({"text": "T", "label": 3, "label_text": "joy"}, Record((u("T"), a("joy")), meta={"label": 3})),
    ],
    "context_qa": [
        (
            {"id": "1", "QUESTION": "Q", "CONTEXTS": ["C1", "C2"], "LONG_ANSWER": "A", "final_decision": "yes"},
            Record((u("C1\n\nC2\n\nQ"), a("A")), meta={"id": "1", "final_decision": "yes"}),
        ),
        ({"question": "Q", "context": {"contexts": ["C1"], "labels": ["X"]}, "long_answer": "A"}, Record((u("C1\n\nQ"), a("A")))),
        ({"context": "C", "question": "Q", "answers": {"text": ["A", "B"], "answer_start": [1, 2]}}, Record((u("C\n\nQ"), a("A")))),
        ({"question": "Q", "contexts": [], "answer": "A"}, Record((u("Q"), a("A")))),
    ],
    "ranked_preference": [
        (
            {"prompt": "P", "responses": ["bad", "best", "so-so"], "scores": [1, 4.5, 3]},
            Record((u("P"),), "preference", chosen=(a("best"),), rejected=(a("bad"),), meta=RANKED | {"scores": [1, 4.5, 3]}),
        ),
        (
            {"prompt": "P", "responses": ["bad", "best", "so-so"], "ranks": [3, 1, 2], "id": 7},
            Record((u("P"),), "preference", chosen=(a("best"),), rejected=(a("bad"),), meta=RANKED | {"ranks": [3, 1, 2], "id": 7}),
        ),
        (
            {"instruction": "P", "completions": [{"response": "C", "overall_score": "9"}, {"response": "R", "overall_score": "2"}]},
            Record((u("P"),), "preference", chosen=(a("C"),), rejected=(a("R"),), meta={"scores": [9.0, 2.0]}),
        ),
        (
            {"prompt": "P", "response_0": "R", "response_1": "C", "better_response_id": 1},
            Record((u("P"),), "preference", chosen=(a("C"),), rejected=(a("R"),), meta={"better_response_id": 1}),
        ),
        (
            {
                "conversation_a": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "C"}],
                "conversation_b": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "R"}],
                "winner": "model_a",
            },
            Record((u("P"),), "preference", chosen=(a("C"),), rejected=(a("R"),), meta={"winner": "model_a"}),
        ),
        (
            {"history": "P", "human_ref_A": "C", "human_ref_B": "R", "labels": 1},
            Record((u("P"),), "preference", chosen=(a("C"),), rejected=(a("R"),), meta={"labels": 1}),
        ),
    ],
    "alternating": [
        ({"id": "1", "data": ["Q1", "A1", "Q2", "A2"]}, Record((u("Q1"), a("A1"), u("Q2"), a("A2")), meta={"id": "1"})),
        ({"dialog": ["Q", "A"], "system": "S"}, Record((s("S"), u("Q"), a("A")))),
    ],
    "message_tree": [
        (
            {
                "message_tree_id": "t",
                "prompt": {"text": "Q", "role": "prompter", "replies": [{"text": "A", "role": "assistant", "replies": []}]},
            },
            Record((u("Q"), a("A")), meta={"message_tree_id": "t"}),
        ),
    ],
    "nested_qa": [
        (
            {
                "title": "T",
                "paragraphs": [{"context": "C", "qas": [{"id": "1", "question": "Q", "answers": [{"text": "A", "answer_start": 3}]}]}],
            },
            Record((u("C\n\nQ"), a("A")), meta={"title": "T", "id": "1"}),
        ),
        ({"context": "C", "qas": [{"question": "Q", "answers": [{"text": "A"}]}]}, Record((u("C\n\nQ"), a("A")))),
    ],
    "rendered": [  # every way of writing one is in test_rendering.py
        (
            {
                "text": "<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\nA<|im_end|>\n",
                "system": "S",
                "tools": '[{"name": "add", "parameters": {}}]',
            },
            Record((s("S"), u("Q"), a("A")), tools=TOOLS),
        ),
    ],
    "self_instruct": [
        ({"id": "t1", "instruction": "I", "instances": [{"input": "X", "output": "O"}]}, Record((u("I\n\nX"), a("O")), meta={"id": "t1"})),
        (
            {
                "Definition": ["I"],
                "Positive Examples": [{"input": "1", "output": "2"}],
                "Instances": [{"id": "x", "input": "X", "output": ["O", "P"]}],
                "Source": ["web"],
            },
            Record((u("I\n\nX"), a("O")), meta={"Definition": ["I"], "Source": ["web"], "id": "x", "other_outputs": ["P"]}),
        ),
    ],
}
CASES = [(name, row, record) for name, cases in GOLDEN.items() for row, record in cases]


def test_every_format_has_a_golden_row():
    assert set(GOLDEN) == set(FORMATS)


@pytest.mark.parametrize(("name", "row", "record"), CASES)
def test_a_row_is_recognised_and_converted(name, row, record):
    assert read(json.loads(json.dumps(row))) == (name, record)


@pytest.mark.parametrize(("name", "row", "record"), CASES)
def test_a_format_that_is_asked_for_gives_the_same(name, row, record):
    assert read(row, asked=name) == (name, record)


def test_a_label_of_zero_and_one_is_a_preference_only_when_the_user_says_so():
    row = {"messages": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "C"}], "label": 1}
    assert read(row) == ("openai", Record((u("P"), a("C")), meta={"label": 1}))
    assert read(row, asked="unpaired_preference") == ("unpaired_preference", Record((u("P"), a("C")), "unpaired", label=True))
    assert read(row, mapping={"label": "label"}) == ("unpaired_preference", Record((u("P"), a("C")), "unpaired", label=True))
    assert read({**row, "label": "good"}) == ("openai", Record((u("P"), a("C")), meta={"label": "good"}))
    wanted = ("unpaired_preference", Record((u("P"), a("C")), "unpaired", label=True))
    assert read({**row, "label": "good"}, asked="unpaired_preference") == wanted
    assert read({**row, "label": "maybe"}, asked="unpaired_preference") == 'The column "label" is "maybe", not true or false.'


@pytest.mark.parametrize(("label", "wanted"), [
    (True, True), ("TRUE", True), ("desirable", True), ("Undesirable", False), ("thumbs_up", True), ("thumbs-down", False), ("👍🏽", True), ("👎", False),
])  # fmt: skip
def test_a_judgement_that_can_mean_nothing_else_is_recognised(label, wanted):
    row = {"prompt": "P", "completion": "C", "label": label}
    assert read(row) == ("unpaired_preference", Record((u("P"), a("C")), "unpaired", label=wanted))


@pytest.mark.parametrize(("label", "wanted"), [
    (1, True), (0, False), (-1, False), ("1", True), ("0.0", False), ("yes", True), ("No", False), ("good", True), ("bad", False),
    ("upvote", True), ("+1", True), ("-1", False), ("rejected", False),
])  # fmt: skip
def test_a_judgement_in_other_words_is_one_where_the_column_or_the_user_says_so(label, wanted):
    record = Record((u("P"), a("C")), "unpaired", label=wanted)
    assert read({"prompt": "P", "completion": "C", "thumbs": label}) == ("unpaired_preference", record)
    row = {"prompt": "P", "completion": "C", "label": label}
    assert read(row, asked="unpaired_preference") == ("unpaired_preference", record)
    assert read(row)[0] == "prompt_completion"


def test_each_instance_of_self_instruct_is_a_row_of_its_own():
    row = {"instruction": "I", "instances": [{"input": "1", "output": "A"}, {"input": "2"}, {"input": "3", "output": "C"}]}
    first, second, third = Converter(FORMATS["self_instruct"]).convert(RawRow("a.jsonl", 4, row))
    assert first == ("self_instruct", Record((u("I\n\n1"), a("A"))))
    assert third == ("self_instruct", Record((u("I\n\n3"), a("C"))))
    assert (second.row, second.reason) == (
        4,
        "Instance 2 of 3: It has no output, which the format alpaca needs. Its columns are: instruction, input.",
    )


def test_rows_of_another_format_in_the_same_file_are_converted_by_theirs():
    rows = [row for name in ("qa", "qa", "alpaca", "preference", "openai") for row, _ in GOLDEN[name][:1]]
    seen = recognise(rows)
    converter = Converter(seen.form)
    assert seen.form is FORMATS["qa"]
    assert [converter.convert(RawRow("a", i, row))[0][0] for i, row in enumerate(rows)] == ["qa", "qa", "alpaca", "preference", "openai"]


def test_the_majority_decides_and_not_the_first_row():
    odd, usual = {"prompt": "P", "completion": "C"}, {"text": "T", "label": "x"}
    seen = recognise([odd] + [usual] * 3)
    assert seen.form is FORMATS["classification"]
    assert seen.mapping == {"text": "text", "label": "label"}
    assert seen.columns == ("prompt", "completion", "text", "label")
    assert seen.why["classification"] == "3 of the first 4 rows fit (text, label)."
    assert seen.why["prompt_completion"] == "1 of the first 4 rows fit (prompt, completion)."
    assert seen.why["openai"] == "No column for messages."


def test_rows_that_fit_a_looser_format_too_do_not_count_for_it():
    telling, loose = {"instruction": "I", "input": "X", "output": "O"}, {"input": "P", "output": "C"}
    assert recognise([telling, telling, loose]).form is FORMATS["alpaca"]
    assert recognise([telling, loose, loose]).form is FORMATS["prompt_completion"]


def test_a_row_with_nulls_where_its_format_would_be_is_of_another():
    rows = [{"messages": [{"role": "user", "content": "Q"}], "prompt": None, "completion": None}] * 2
    rows.append({"messages": None, "prompt": "P", "completion": "C"})
    seen = recognise(rows)
    assert seen.form is FORMATS["openai"]
    assert Converter(seen.form).convert(RawRow("a", 3, rows[2])) == [
        ("prompt_completion", Record((u("P"), a("C")), meta={"messages": None}))
    ]


def test_mapped_columns_are_used_and_the_others_stay_in_meta():
    row = {"frage": "Q", "antwort": "A", "question": "not this"}
    assert read(row, mapping={"question": "frage", "answer": "antwort"}) == ("qa", Record((u("Q"), a("A")), meta={"question": "not this"}))
