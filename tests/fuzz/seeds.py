"""Seeds: well-formed rows of every format that the importer reads, each with a marker by which it can be found again."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]


def marker(number: int, row: int) -> str:
    """A word that stands in no other row of any input."""
    return f"mk{number:08d}x{row:02d}km"


def _turns(mark: str) -> list[tuple[str, str]]:
    return [
        ("user", f"Where is {mark}, please?"),
        ("assistant", f"It is “here”, {mark}."),
        ("user", "Sure?"),
        ("assistant", "Yes: 4,5 °C."),
    ]


def _openai(mark: str, pick: random.Random) -> Row:
    turns = [{"role": role, "content": text} for role, text in _turns(mark)]
    if pick.random() < 0.3:
        turns.insert(0, {"role": pick.choice(("system", "developer")), "content": "Be brief."})
    if pick.random() < 0.3:
        turns[0]["content"] = [{"type": "text", "text": turns[0]["content"]}, {"type": "image_url", "image_url": {"url": "x"}}][
            : pick.randint(1, 2)
        ]
    if pick.random() < 0.2:
        turns[1] |= {"weight": pick.choice((0, 1)), "reasoning_content": f"Thinking of {mark}"}
    return {"messages": turns, "id": mark}


def _tools(mark: str, pick: random.Random) -> Row:
    function = {"name": "find", "parameters": {"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]}}
    arguments: Any = {"what": mark}
    call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": pick.choice((arguments, json.dumps(arguments)))}}
    said = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": f'{{"at": "{mark}"}}'},
    ]
    if pick.random() < 0.5:
        said = [
            {"role": "assistant", "content": "<tool_call>\n" + json.dumps(call["function"]) + "\n</tool_call>"},
            {"role": "tool", "content": mark},
        ]
    tools: Any = [{"type": "function", "function": function}]
    return {
        "messages": [{"role": "user", "content": f"Find {mark}"}, *said, {"role": "assistant", "content": "Found."}],
        "tools": pick.choice((tools, json.dumps(tools), [function])),
    }


def _sharegpt(mark: str, pick: random.Random) -> Row:
    names = pick.choice((("human", "gpt"), ("user", "assistant")))
    row: Row = {"conversations": [{"from": names[i % 2], "value": text} for i, (_, text) in enumerate(_turns(mark))]}
    if pick.random() < 0.3:
        row["system"] = "Be brief."
    if pick.random() < 0.3:
        row["conversations"][1:1] = [
            {"from": "function_call", "value": json.dumps({"name": "f", "arguments": {"a": mark}})},
            {"from": "observation", "value": "4"},
        ]
        row["tools"] = json.dumps([{"name": "f", "parameters": {}}])
    return row


def _alpaca(mark: str, pick: random.Random) -> Row:
    return {"instruction": f"Do {mark}", "input": pick.choice(("", "this: {x}")), pick.choice(("output", "response")): f"Done, {mark}"}


def _qa(mark: str, pick: random.Random) -> Row:
    return {
        "question": f"Why {mark}?",
        "answer": f"Because {mark}",
        **pick.choice(({}, {"history": [["Q0", "A0"]]}, {"topic": "x", "score": 0.5})),
    }


def _context(mark: str, pick: random.Random) -> Row:
    passages: Any = pick.choice(([f"One {mark}.", "Two."], {"contexts": ["One."]}, f"One {mark}."))
    return {"CONTEXTS": passages, "QUESTION": f"Is it {mark}?", "LONG_ANSWER": f"It is {mark}.", "final_decision": "yes"}


def _prompt(mark: str, pick: random.Random) -> Row:
    return {
        "prompt": f"Say {mark}",
        pick.choice(("completion", "response")): pick.choice((f"{mark}!", [{"role": "assistant", "content": mark}])),
    }


def _preference(mark: str, pick: random.Random) -> Row:
    good, bad = f"Good {mark}", f"Bad {mark}"
    if pick.random() < 0.5:
        return {"prompt": f"Choose {mark}", "chosen": good, "rejected": bad}
    asked = {"from": "human", "value": f"Choose {mark}"}
    return {"conversations": [asked], "chosen": {"from": "gpt", "value": good}, "rejected": {"from": "gpt", "value": bad}}


def _ranked(mark: str, pick: random.Random) -> Row:
    return {"prompt": f"Rank {mark}", "responses": ["a", f"b {mark}", "c"], "scores": [0.1, 0.9, pick.choice((0.5, 0.9))]}


def _unpaired(mark: str, pick: random.Random) -> Row:
    turns = [{"role": role, "content": text} for role, text in _turns(mark)[:2]]
    return {"messages": turns, pick.choice(("label", "kto_tag")): pick.choice((True, False))}


def _alternating(mark: str, pick: random.Random) -> Row:
    return {"data": [text for _, text in _turns(mark)][: pick.choice((2, 4))], "id": mark}


def _instances(mark: str, pick: random.Random) -> Row:
    return {"instruction": f"Sort {mark}", "instances": [{"input": f"{i} {mark}", "output": str(i)} for i in range(pick.randint(1, 3))]}


def _nested(mark: str, pick: random.Random) -> Row:
    asked = [
        {"question": f"Where {i} {mark}?", "answers": [{"text": f"here {mark}"}], "is_impossible": False} for i in range(pick.randint(1, 3))
    ]
    return {"title": "T", "paragraphs": [{"context": f"All about {mark}", "qas": asked}]}


def _rendered(mark: str, pick: random.Random) -> Row:
    (_, asked), (_, said) = _turns(mark)[:2]
    return {
        "text": pick.choice(
            (
                f"<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n{asked}<|im_end|>\n<|im_start|>assistant\n{said}<|im_end|>\n",
                f"<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n{asked} [/INST] {said} </s>",
                f"<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{asked}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n{said}<|eot_id|>",
                f"USER: {asked} ASSISTANT: {said}</s>",
                f"### Instruction:\n{asked}\n\n### Response:\n{said}",
                f"<start_of_turn>user\n{asked}<end_of_turn>\n<start_of_turn>model\n{said}<end_of_turn>\n",
            )
        )
    }


def _labelled(mark: str, pick: random.Random) -> Row:
    return {"text": f"My card {mark} is lost", "label": pick.choice(("card_lost", "other", 3))}


def _tree(mark: str, pick: random.Random) -> Row:
    replies = [{"role": "assistant", "text": f"Reply {i} {mark}", "replies": []} for i in range(pick.randint(1, 3))]
    return {"prompt": {"role": "prompter", "text": f"Tell {mark}", "replies": replies}}


SEEDS: dict[str, Callable[[str, random.Random], Row]] = {
    "openai": _openai, "tools": _tools, "sharegpt": _sharegpt, "alpaca": _alpaca, "qa": _qa, "context_qa": _context, "prompt_completion": _prompt,
    "preference": _preference, "ranked_preference": _ranked, "unpaired_preference": _unpaired, "alternating": _alternating,
    "self_instruct": _instances, "nested_qa": _nested, "rendered": _rendered, "classification": _labelled, "message_tree": _tree,
}  # fmt: skip
FLAT = ("alpaca", "qa", "prompt_completion", "classification", "rendered", "preference")
"""Formats that a table of texts can hold."""
