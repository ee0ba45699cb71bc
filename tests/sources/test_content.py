"""Turns written as typed parts, with reasoning, with calls of tools, and marked as learned or not: what becomes of each."""

import json

import pytest

from pipelines.records import Message, Record, canonical_json
from tests.sources.test_formats import a, read, u


def call(id: str, name: str, arguments: str) -> str:
    return canonical_json([{"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}])


def messages(*turns: dict) -> tuple[Message, ...] | str:
    found = read({"messages": list(turns)})
    return found if isinstance(found, str) else found[1].messages


def test_anthropic_calls_and_results_become_a_call_and_a_tool_turn():
    assert messages(
        {"role": "user", "content": "Regnet es?"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "I need the weather.", "signature": "x"},
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Köln"}},
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "dry"}]}]},
        {"role": "assistant", "content": "No."},
    ) == (
        u("Regnet es?"),
        a("Let me look.", tool_calls=call("t1", "weather", '{"city": "Köln"}'), reasoning_content="I need the weather."),
        Message("tool", "dry", tool_call_id="t1"),
        a("No."),
    )


def test_what_the_user_says_beside_a_result_keeps_its_place():
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "dry"}
    text = {"type": "text", "text": "Thanks!"}
    turn = Message("tool", "dry", tool_call_id="t1")
    assert messages({"role": "user", "content": [result, text]}) == (turn, u("Thanks!"))
    assert messages({"role": "user", "content": [text, result]}) == (u("Thanks!"), turn)


@pytest.mark.parametrize(
    ("content", "turn"),
    [
        ([{"type": "input_text", "text": "a"}, {"type": "output_text", "text": "b"}], a("ab")),
        ([{"type": "refusal", "refusal": "I can't help."}], a("I can't help.")),
        ([{"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}, {"type": "text", "text": "A"}], a("A", reasoning_content="hm")),
        ([{"text": "a part without a type"}], a("a part without a type")),
        ([{"type": "redacted_thinking", "data": "xyz"}, {"type": "text", "text": "A"}], a("A")),
        ({"content_type": "text", "parts": ["A"]}, a("A")),
        ([], a("")),
    ],
)  # fmt: skip
def test_parts_of_a_turn_are_joined(content, turn):
    assert messages({"role": "assistant", "content": content}) == (turn,)


@pytest.mark.parametrize(
    ("extra", "turn"),
    [
        ({"content": "A", "reasoning_content": "hm"}, a("A", reasoning_content="hm")),
        ({"content": "A", "thinking": "hm"}, a("A", reasoning_content="hm")),
        ({"content": None, "refusal": "No."}, a("No.")),
        ({"content": "A", "refusal": None}, a("A")),
        ({"content": "<think>hm</think>A"}, a("<think>hm</think>A")),
    ],
)
def test_reasoning_and_refusals_beside_the_content_are_kept(extra, turn):
    assert messages({"role": "assistant"} | extra) == (turn,)


@pytest.mark.parametrize(
    ("part", "what"),
    [
        ({"type": "image", "source": {}}, "a picture, image"),
        ({"type": "input_audio", "input_audio": {}}, "sound, input_audio"),
        ({"type": "hologram"}, "hologram"),
        ({"type": ["text"]}, "its type is a list"),
        (7, "a number"),
    ],
)
def test_pictures_and_sound_are_refused_in_one_sentence(part, what):
    reason = f'Turn 1 of "messages" holds a part that is not text ({what}). Only text can be trained: take it out.'
    assert messages({"role": "user", "content": [{"type": "text", "text": "Look:"}, part]}) == reason


@pytest.mark.parametrize(
    ("key", "value", "weight"),
    [
        ("weight", 0, 0), ("weight", 1, None), ("weight", 0.0, 0), ("train", False, 0), ("train", True, None), ("training", False, 0),
        ("loss", False, 0), ("loss", True, None), ("weight", None, None),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_to_be_learned_has_weight_zero_and_the_others_none(key, value, weight):
    row = {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A", key: value}]}
    assert read(row) == ("openai", Record((u("Q"), a("A", weight=weight))))
    row = {"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A", key: value}]}
    assert read(row) == ("sharegpt", Record((u("Q"), a("A", weight=weight))))


def test_a_weight_between_is_refused_and_a_measured_loss_is_no_weight():
    half = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A", "weight": 0.5}]
    assert messages(*half) == 'The weight of turn 2 of "messages" is 0.5. Write 1 for an answer to be learned, 0 for one that is only read.'
    measured = {"messages": [{"role": "assistant", "content": "A", "loss": 0.0}]}
    assert read(measured) == ("openai", Record((a("A"),), meta={"turn_extras": [{"turn": 1, "loss": 0.0}]}))
    asked = {"messages": [{"role": "user", "content": "Q", "train": True}, {"role": "assistant", "content": "A"}]}
    assert read(asked) == ("openai", Record((u("Q"), a("A")), meta={"turn_extras": [{"turn": 1, "train": True}]}))


def test_a_second_name_or_text_of_a_turn_is_kept_beside_it():
    twice = {"messages": [{"role": "assistant", "from": "Eve", "content": "A", "value": "B"}]}
    assert read(twice) == ("openai", Record((a("A"),), meta={"turn_extras": [{"turn": 1, "from": "Eve", "value": "B"}]}))


@pytest.mark.parametrize(
    "turns",
    [
        [{"speaker": "user", "text": "Q"}, {"speaker": "bot", "text": "A"}],
        [{"author": "human", "message": "Q"}, {"author": "assistant", "message": "A"}],
        [{"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["Q"]}}, {"author": {"role": "assistant"}, "content": "A"}],
        [{"role": "user", "parts": [{"text": "Q"}]}, {"role": "model", "parts": [{"text": "A"}]}],
        [{"sender": "user", "utterance": "Q"}, {"sender": "AI", "utterance": "A"}],
    ],
)  # fmt: skip
def test_turns_under_other_names_are_turns(turns):
    found = read({"conversation": turns})
    assert found[1].messages[0] == u("Q")
    assert found[1].messages[1].content == "A"
    assert found[1].messages[1].role in ("assistant", "model"), "Gemini's `model` beside `role` is kept for the user to map"
    assert found[1].meta == {}


def test_a_json_text_of_parts_reads_the_same_as_the_parts():
    turns = [{"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {}}]}]
    assert (
        read({"messages": json.dumps(turns)}) == read({"messages": turns}) == ("openai", Record((a("", tool_calls=call("t1", "f", "{}")),)))
    )
