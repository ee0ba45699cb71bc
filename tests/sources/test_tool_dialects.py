"""Calls, results and declarations of tools in the dialects of model families all end in one form."""

import json
from pathlib import Path

import pytest

import pipelines
from pipelines.records import Message, Record, canonical_json
from tests.sources.test_formats import a, read, s, u

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
TOOLS = canonical_json([TOOL])


def called(*arguments: str, ids: bool = True) -> str:
    return canonical_json(
        [
            {"type": "function", "function": {"name": "weather", "arguments": text}} | ({"id": f"call{i:05d}"} if ids else {})
            for i, text in enumerate(arguments, 1)
        ]
    )


def converted(answer: str, result: str = "dry", role: str = "tool", **row: object) -> tuple[Message, ...]:
    """The turns of a conversation in which an answer calls and a result comes back."""
    turns = [("user", "Rain?"), ("assistant", answer), (role, result), ("assistant", "No.")]
    return read({"messages": [{"role": r, "content": c} for r, c in turns], **row})[1].messages


CALLED = (u("Rain?"), a("", tool_calls=called('{"city": "Köln"}')), Message("tool", "dry", tool_call_id="call00001"), a("No."))


@pytest.mark.parametrize(
    "answer",
    [
        '<tool_call>\n{"name": "weather", "arguments": {"city": "Köln"}}\n</tool_call>',
        "<tool_call>\n{'name': 'weather', 'arguments': {'city': 'Köln'}}\n</tool_call>",
        "<tool_call>\n<function=weather>\n<parameter=city>\nKöln\n</parameter>\n</function>\n</tool_call>",
        '<functioncall> {"name": "weather", "arguments": \'{"city": "Köln"}\'} <|endoftext|>',
        '<functioncall> {"name": "weather", "arguments": {"city": "Köln"}}',
        '[TOOL_CALLS] [{"name": "weather", "arguments": {"city": "Köln"}}]',
        '[TOOL_CALLS]weather[ARGS]{"city": "Köln"}',
        '<|python_tag|>{"name": "weather", "parameters": {"city": "Köln"}}<|eom_id|>',
        '<function=weather>{"city": "Köln"}</function>',
    ],
)
def test_a_call_written_into_the_text_becomes_a_call_with_the_id_of_its_result(answer):
    assert converted(answer) == CALLED


@pytest.mark.parametrize(
    "answer", ['{"name": "weather", "parameters": {"city": "Köln"}}', '[{"name": "weather", "arguments": {"city": "Köln"}}]']
)
def test_plain_json_is_a_call_only_of_a_tool_that_is_declared(answer):
    assert converted(answer, tools=[TOOL]) == CALLED
    assert converted(answer)[1] == a(answer)
    assert converted(answer.replace("weather", "stocks"), tools=[TOOL])[1] == a(answer.replace("weather", "stocks"))


def test_words_before_the_call_and_several_calls_are_kept():
    one, two = (
        '<tool_call>{"name": "weather", "arguments": {"city": "CITY"}}</tool_call>'.replace("CITY", city) for city in ("Köln", "Ulm")
    )
    turns = [("user", "Rain?"), ("assistant", f"Let me look.\n{one}\n{two}"), ("tool", "dry"), ("tool", "wet")]
    assert read({"messages": [{"role": r, "content": c} for r, c in turns]})[1].messages == (
        u("Rain?"),
        a("Let me look.", tool_calls=called('{"city": "Köln"}', '{"city": "Ulm"}')),
        Message("tool", "dry", tool_call_id="call00001"),
        Message("tool", "wet", tool_call_id="call00002"),
    )


def test_results_in_tags_are_tool_turns_also_two_in_one_user_turn():
    answer = '<tool_call>{"name": "weather", "arguments": {"city": "Köln"}}</tool_call>'
    assert converted(answer, "<tool_response>\ndry\n</tool_response>", role="user") == CALLED
    two = converted(answer, "<tool_response>a</tool_response>\n<tool_response>b</tool_response>", role="user")
    assert [(m.role, m.content) for m in two[2:4]] == [("tool", "a"), ("tool", "b")]


@pytest.mark.parametrize(
    "answer",
    [
        "Write <tool_call> before a call and </tool_call> behind it.",
        '<tool_call>{"name": "weather", "arguments": {"city"}}</tool_call>',
        '<tool_call>{"name": "weather", "arguments": {}}',
        "[TOOL_CALLS] is what Mistral writes.",
        "<|python_tag|>print(2 + 2)",
        "<functioncall> none",
        '<tool_call>{"name": "weather", "arguments": {"city": "\\ud83d"}}</tool_call>',  # half a character, which cannot be stored
        '<tool_call>{"name": "weather", "arguments": "\\u0000"}</tool_call>',
    ],
)
def test_what_cannot_be_read_as_a_call_stays_as_it_is(answer):
    assert converted(answer)[1:3] == (a(answer), Message("tool", "dry"))


def test_a_call_of_sharegpt_and_the_old_function_call_get_the_id_of_their_result():
    turns = [
        ("human", "Rain?"),
        ("function_call", '{"name": "weather", "arguments": {"city": "Köln"}}'),
        ("observation", "dry"),
        ("gpt", "No."),
    ]
    assert read({"conversations": [{"from": r, "value": c} for r, c in turns]}) == ("sharegpt", Record(CALLED))
    old = [
        {"role": "user", "content": "Rain?"},
        {"role": "assistant", "content": None, "function_call": {"name": "weather", "arguments": '{"city": "Köln"}'}},
        {"role": "function", "name": "weather", "content": "dry"},
        {"role": "assistant", "content": "No."},
    ]
    named = (*CALLED[:2], Message("tool", "dry", name="weather", tool_call_id="call00001"), CALLED[3])
    assert read({"messages": old}) == ("openai", Record(named))


def test_an_id_that_only_the_result_has_is_given_to_its_call():
    turns = [{"from": "human", "value": "Rain?"}, {"from": "function_call", "value": '{"name": "weather", "arguments": {}}'},
             {"from": "observation", "value": "dry", "tool_call_id": "x9"}]  # fmt: skip
    found = read({"conversations": turns})[1].messages
    assert (json.loads(found[1].tool_calls)[0]["id"], found[2].tool_call_id) == ("x9", "x9")


def test_a_turn_that_has_its_calls_in_the_usual_place_is_not_touched():
    calls = [{"type": "function", "function": {"name": "weather", "arguments": "{}"}}]
    turns = [{"role": "assistant", "content": "", "tool_calls": calls}, {"role": "tool", "content": "dry"}]
    assert read({"messages": turns}) == ("openai", Record((a("", tool_calls=canonical_json(calls)), Message("tool", "dry"))))


HERMES = (
    "You are a function calling AI model. You are provided with function signatures within <tools></tools> XML tags. You may call one or "
    "more functions. Here are the available tools:\n<tools> [%s] </tools>\nFor each function call return a json object within "
    '<tool_call></tool_call> XML tags as follows:\n<tool_call>\n{"name": <function-name>, "arguments": <args-dict>}\n</tool_call>'
)
QWEN = (
    "Be brief.\n\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are provided with function signatures "
    "within <tools></tools> XML tags:\n<tools>\n%s\n</tools>\n\nFor each function call, return a json object with function name and arguments "
    'within <tool_call></tool_call> XML tags:\n<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>'
)
GLAIVE = "You are a helpful assistant with access to the following functions. Use them if required -\n%s"
OWN = "Say please. Tools: <tools>%s</tools>"


@pytest.mark.parametrize(
    ("system", "rest"),
    [
        (HERMES % json.dumps(TOOL), ()),
        (QWEN % json.dumps(TOOL), (s("Be brief."),)),
        (GLAIVE % json.dumps(TOOL["function"], indent=1), (s("You are a helpful assistant."),)),
        (OWN % json.dumps(TOOL), (s(OWN % json.dumps(TOOL)),)),
        ("Write the <tools> tag.", None),
        ("You know the functions sine and cosine.", None),
    ],
    ids=["Hermes", "Qwen", "Glaive", "another wording stays", "a mention", "other functions"],
)
def test_tools_that_the_system_prompt_declares_are_declared_as_tools(system, rest):
    turns = [{"role": "system", "content": system}, {"role": "user", "content": "Rain?"}, {"role": "assistant", "content": "No."}]
    expected = Record((s(system), u("Rain?"), a("No."))) if rest is None else Record((*rest, u("Rain?"), a("No.")), tools=TOOLS)
    assert read({"messages": turns}) == ("openai", expected)


@pytest.mark.parametrize(
    "tools",
    [
        [TOOL],
        json.dumps([TOOL]),
        [TOOL["function"]],
        [json.dumps(TOOL)],
        TOOL,
        [{"name": "weather", "input_schema": {"type": "object"}}],
        [{"type": "function", "name": "weather", "parameters": {"type": "object"}}],
    ],
)
def test_tools_in_a_column_are_read_in_every_wording(tools):
    assert read({"messages": [{"role": "user", "content": "Q"}], "tools": tools}) == ("openai", Record((u("Q"),), tools=TOOLS))


def test_the_original_glaive_rows_are_read():
    row = {
        "system": "SYSTEM: " + GLAIVE % json.dumps(TOOL["function"]),
        "chat": 'USER: Rain?\n\n\nASSISTANT: <functioncall> {"name": "weather", "arguments": \'{"city": "Köln"}\'} <|endoftext|>\n\n\n'
        "FUNCTION RESPONSE: dry\n\n\nASSISTANT: No. <|endoftext|>",
    }
    assert read(row) == ("rendered", Record((s("You are a helpful assistant."), *CALLED), tools=TOOLS))


def test_calls_in_a_rendered_conversation_are_calls():
    text = (
        "<s>[AVAILABLE_TOOLS] [TOOL][/AVAILABLE_TOOLS][INST] Rain? [/INST][TOOL_CALLS] "
        '[{"name": "weather", "arguments": {"city": "Köln"}}]</s>[TOOL_RESULTS] {"content": "dry"} [/TOOL_RESULTS] No.</s>'
    )
    text = text.replace("[TOOL]", json.dumps([TOOL]))
    assert read({"text": text}) == ("rendered", Record(CALLED, tools=TOOLS))


@pytest.mark.parametrize("name", ["qwen2_5", "qwen3_instruct_2507", "Winnow's own"])
def test_a_conversation_with_tools_that_a_chat_template_wrote_comes_back_whole(name):
    from transformers.utils.chat_template_utils import render_jinja_template

    from tests.sources.test_rendering import trl_template

    said = (s("Be brief."), *CALLED)
    record = Record(said, tools=TOOLS)
    if name == "Winnow's own":
        values = {"bos": "", "turn_end": "<|im_end|>", "default_system": ""}
        head = "".join(f"{{%- set {key} = {json.dumps(value)} -%}}" for key, value in values.items())
        template = head + (Path(pipelines.__file__).parent / "tokens" / "chatml.jinja").read_text(encoding="utf-8")
    else:
        template = trl_template(name)
    chat = [turn.to_json() for turn in said]
    chat[2]["tool_calls"] = json.loads(chat[2]["tool_calls"])
    chat[2]["tool_calls"][0]["function"]["arguments"] = {"city": "Köln"}
    (text,), _ = render_jinja_template([chat], tools=[TOOL], chat_template=template)
    assert read({"text": text}) == ("rendered", record)
