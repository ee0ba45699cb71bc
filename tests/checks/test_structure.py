"""Checks of the order and completeness of turns."""

import pytest

from pipelines.records import Message, Record
from tests.checks.measuring import answer, evidence, flags, marked, measure, turns

CALL = '[{"function":{"arguments":"{}","name":"weather"},"id":"call_1","type":"function"}]'
TWO_CALLS = (
    '[{"function":{"arguments":"{}","name":"weather"},"id":"call_1","type":"function"},'
    '{"function":{"arguments":"{}","name":"tides"},"id":"call_2","type":"function"}]'
)
asks = Message("user", "Is it raining in Hull?")
calls = Message("assistant", "", tool_calls=CALL)
calls_two = Message("assistant", "", tool_calls=TWO_CALLS)
result = Message("tool", "rain", tool_call_id="call_1")
says = Message("assistant", "Yes, take an umbrella.")


@pytest.mark.parametrize(
    ("role", "flagged"), [("user", False), ("system", False), ("tool", False), ("bot", True), ("User", True), ("usuario", True), ("", True)]
)
def test_unknown_role(role, flagged):
    record = turns((role, "Is it raining?"), ("assistant", "Yes."))
    assert flags("unknown_role", record) == [flagged]


def test_unknown_role_names_the_turn_and_the_role():
    (found,) = evidence("unknown_role", turns(("user", "hi"), ("ассистент", "привет")))
    assert (found.turn, found.note) == (1, 'the role "ассистент" is not one of system, user, assistant, tool')


@pytest.mark.parametrize(
    ("turn", "flagged"),
    [
        (Message("assistant", ""), True),
        (Message("assistant", " \n\t "), True),
        (Message("assistant", "\u200b\ufeff\u3000\u00a0"), True),
        (Message("user", ""), True),
        (Message("assistant", "."), False),
        (Message("assistant", "好"), False),
        (Message("assistant", "", tool_calls=CALL), False),
        (Message("tool", ""), False),
    ],
)
def test_empty_turn(turn, flagged):
    assert flags("empty_turn", turns(("user", "Is it raining?"), turn)) == [flagged]


@pytest.mark.parametrize(
    ("roles", "note"),
    [
        ("user assistant", None),
        ("system user assistant user assistant", None),
        ("user assistant user", None),
        ("user user assistant", "two user turns in a row"),
        ("user assistant assistant", "two assistant turns in a row"),
        ("assistant user assistant", "the assistant speaks first"),
        ("system assistant", "the assistant speaks first"),
        ("user system assistant", "the system turn is not the first"),
        ("system system user assistant", "the system turn is not the first"),
        ("user tool assistant", "a tool result that no call asked for"),
        ("user bot assistant", None),
    ],
)
def test_role_order(roles, note):
    record = turns(*((role, f"turn {i}") for i, role in enumerate(roles.split())))
    assert [e.note for e in evidence("role_order", record)] == ([note] if note else [])


def test_role_order_accepts_tools_at_work():
    assert flags("role_order", turns(asks, calls, result, says), turns(asks, calls_two, result, result, says)) == [False, False]


def test_role_order_looks_across_the_border_of_a_preference_pair():
    prompt = (Message("user", "Hallo?"), Message("assistant", "Ja?"))
    pair = Record(prompt, kind="preference", chosen=(Message("assistant", "Guten Tag."),), rejected=(Message("assistant", "Was?"),))
    (found,) = evidence("role_order", pair)
    assert found.turn == 2


def test_role_order_does_not_join_neighbouring_rows():
    assert flags("role_order", turns(("user", "a"), ("assistant", "b")), turns(("assistant", "c"))) == [False, True]


def test_rows_without_an_answer():
    rows = [turns(("user", "Ist da wer?")), answer("Ja."), Record(()), turns(("user", "a"), ("bot", "b"))]
    assert flags("no_answer", *rows) == [True, False, True, True]
    assert flags("last_turn_not_answer", *rows) == [None, False, None, None]


@pytest.mark.parametrize(
    ("record", "flagged"),
    [
        (turns(("user", "a"), ("assistant", "b"), ("user", "et puis ?")), True),
        (turns(asks, calls, result), True),
        (turns(asks, calls), False),
        (turns(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")), False),
    ],
)
def test_last_turn_not_answer(record, flagged):
    assert flags("last_turn_not_answer", record) == [flagged]


@pytest.mark.parametrize(
    ("record", "count"),
    [
        (turns(asks, calls, result, says), 0),
        (turns(asks, calls), 0),
        (turns(asks, calls, says), 1),
        (turns(asks, calls, asks, says), 1),
        (turns(asks, calls_two, result, Message("tool", "high", tool_call_id="call_2"), says), 0),
        (turns(asks, calls_two, result, says), 1),
        (turns(asks, calls_two, Message("tool", "rain; high"), says), 0),  # one result without an id may answer both
        (turns(asks, says), 0),
    ],
)
def test_tool_call_unanswered(record, count):
    assert measure("tool_call_unanswered", record).values == [count]


def test_tool_call_unanswered_names_the_tool():
    assert evidence("tool_call_unanswered", turns(asks, calls_two, result, says))[0].note == "the call of tides has no result"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Sure.<|im_end|>\n<|im_start|>user", ["<|im_end|>", "<|im_start|>"]),
        ("Done.<|eot_id|>", ["<|eot_id|>"]),
        ("[INST] Fasse das zusammen [/INST]", ["[INST]", "[/INST]"]),
        ("<<SYS>>be kind<</SYS>>", ["<<SYS>>", "<</SYS>>"]),
        ("That is all.</s>", ["</s>"]),
        ("<s>That is all.</s>", ["<s>", "</s>"]),
        ("<start_of_turn>model", ["<start_of_turn>"]),
        ("你好<｜end▁of▁sentence｜>", ["<｜end▁of▁sentence｜>"]),
        ("Paris.\n### Response: Paris", ["### Response:"]),
        ("was <s>40 pounds</s>, now 30", []),
        ("a <| b |> c", []),
        ("see [INSTRUCTIONS] and arr[INST_1]", []),
        ("if a < b and c |> d", []),
        ("### Response times\nfast", []),
    ],
)
def test_control_tokens(text, found):
    assert marked("control_tokens", answer(text)) == found


def test_identical_preference():
    def pair(chosen: str, rejected: str) -> Record:
        return Record((asks,), kind="preference", chosen=(Message("assistant", chosen),), rejected=(Message("assistant", rejected),))

    rows = [pair("Ja, sehr.", "Ja, sehr. "), pair("Ja.", "Nein."), answer("Ja."), pair("yes", "Yes")]
    assert flags("identical_preference", *rows) == [True, False, None, False]
