"""A conversation that a chat template wrote out as one text is read back as it was, or refused with the reason; other texts are let be."""

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.records import Message, Record
from pipelines.sources.formats.format import Unfit
from pipelines.sources.formats.rendering import dialect_of, read_rendered
from tests.sources.test_formats import a, read, s, u

ASKED = (u("Was ist 2+2?"), a("4"), u("sure?"), a("Yes."))
GOLDEN = {
    "ChatML": (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWas ist 2+2?<|im_end|>\n<|im_start|>assistant\n4<|im_end|>\n"
        "<|im_start|>user\nsure?<|im_end|>\n<|im_start|>assistant\nYes.<|im_end|>\n",
        (s("Be brief."), *ASKED),
    ),
    "ChatML of Phi-4": (
        "<|im_start|>user<|im_sep|>Was ist 2+2?<|im_end|><|im_start|>assistant<|im_sep|>4<|im_end|>"
        "<|im_start|>user<|im_sep|>sure?<|im_end|><|im_start|>assistant<|im_sep|>Yes.<|im_end|>",
        ASKED,
    ),
    "Llama 2": (
        "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nWas ist 2+2? [/INST] 4 </s><s>[INST] sure? [/INST] Yes. </s>",
        (s("Be brief."), *ASKED),
    ),
    "Mistral": ("<s>[INST] Was ist 2+2? [/INST] 4</s>[INST] sure? [/INST] Yes.</s>", ASKED),
    "Mistral with a system prompt": (
        "<s>[SYSTEM_PROMPT]Be brief.[/SYSTEM_PROMPT][INST]Was ist 2+2?[/INST]4</s>[INST]sure?[/INST]Yes.</s>",
        (s("Be brief."), *ASKED),
    ),
    "Llama 3": (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"
        "Be brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWas ist 2+2?<|eot_id|><|start_header_id|>assistant<|end_header_id|>"
        "\n\n4<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nsure?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nYes.<|eot_id|>",
        (s("Be brief."), *ASKED),
    ),
    "Gemma": (
        "<bos><start_of_turn>user\nWas ist 2+2?<end_of_turn>\n<start_of_turn>model\n4<end_of_turn>\n"
        "<start_of_turn>user\nsure?<end_of_turn>\n<start_of_turn>model\nYes.<end_of_turn>\n",
        ASKED,
    ),
    "Phi": (
        "<|system|>\nBe brief.<|end|>\n<|user|>\nWas ist 2+2?<|end|>\n<|assistant|>\n4<|end|>\n"
        "<|user|>\nsure?<|end|>\n<|assistant|>\nYes.<|end|>\n<|endoftext|>",
        (s("Be brief."), *ASKED),
    ),
    "Zephyr": ("<|user|>\nWas ist 2+2?</s>\n<|assistant|>\n4</s>\n<|user|>\nsure?</s>\n<|assistant|>\nYes.</s>\n", ASKED),
    "Tulu": ("<|user|>\nWas ist 2+2?\n<|assistant|>\n4<|endoftext|>\n<|user|>\nsure?\n<|assistant|>\nYes.<|endoftext|>\n", ASKED),
    "DeepSeek": (
        "<｜begin▁of▁sentence｜>Be brief.<｜User｜>Was ist 2+2?<｜Assistant｜>4<｜end▁of▁sentence｜>"
        "<｜User｜>sure?<｜Assistant｜>Yes.<｜end▁of▁sentence｜>",
        (s("Be brief."), *ASKED),
    ),
    "Vicuna": ("USER: Was ist 2+2? ASSISTANT: 4</s>USER: sure? ASSISTANT: Yes.</s>", ASKED),
    "Vicuna with its system prompt": (
        "A chat between a curious user and an artificial intelligence assistant. USER: Was ist 2+2? ASSISTANT: 4</s>",
        (s("A chat between a curious user and an artificial intelligence assistant."), *ASKED[:2]),
    ),
    "Glaive": (
        "USER: Rain?\n\n\nASSISTANT: Let me look. <|endoftext|>\n\n\nFUNCTION RESPONSE: {}\n\n\nASSISTANT: No. <|endoftext|>",
        (u("Rain?"), a("Let me look."), Message("tool", "{}"), a("No.")),
    ),
    "Alpaca": (
        "Below is an instruction that describes a task, paired with an input that provides further context. Write a response that "
        "appropriately completes the request.\n\n### Instruction:\nAdd.\n\n### Input:\n2 and 2\n\n### Response:\n4",
        (u("Add.\n\n2 and 2"), a("4")),
    ),
    "Alpaca without an input": ("### Instruction:\nWas ist 2+2?\n\n### Response:\n4</s>", ASKED[:2]),
    "Guanaco": ("### Human: Was ist 2+2?### Assistant: 4### Human: sure?### Assistant: Yes.", ASKED),
    "Anthropic's transcript": ("\n\nHuman: Was ist 2+2?\n\nAssistant: 4\n\nHuman: sure?\n\nAssistant: Yes.", ASKED),
    "transcript in lines": (
        "System: Be brief.\nHuman: Was ist 2+2?\nAssistant: 4\nHuman: sure?\nAssistant: Yes.",
        (s("Be brief."), *ASKED),
    ),
    "a thought": (
        "<|im_start|>user\nWas ist 2+2?<|im_end|>\n<|im_start|>assistant\n<think>\ntwo and two\n</think>\n\n4<|im_end|>",
        (u("Was ist 2+2?"), a("4", reasoning_content="two and two")),
    ),
    "no answer yet": ("<|im_start|>user\nWas ist 2+2?<|im_end|>\n<|im_start|>assistant\n", ASKED[:1]),
    "a marker in the text": (
        "<|im_start|>user\nWhat does <|im_start|> mean?<|im_end|>\n<|im_start|>assistant\nA turn begins.<|im_end|>",
        (u("What does <|im_start|> mean?"), a("A turn begins.")),
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_column_that_holds_a_rendering_is_read_as_its_turns(name):
    text, messages = GOLDEN[name]
    assert read({"text": text, "id": 7}) == ("rendered", Record(messages, meta={"id": 7}))


PLAIN = [
    "ChatML writes <|im_start|>user before every question and <|im_end|> behind it.",
    "<|im_start|> is the token that opens a turn.",
    "[INST] is how Llama 2 marks a question.",
    "Why does [INST] come before and [/INST] after the question?",
    "The prompt of Alpaca has ### Instruction: and ### Response: in it.",
    "### Instruction: is a heading.",
    "USER: is printed before the name.",
    "The form USER: hi ASSISTANT: hello is Vicuna's.",
    "User: please call me back, the card does not work.",
    "Human: a noun. See also Assistant: a noun.",
    "<|user|> stands before what the user says.",
    "DeepSeek writes <｜User｜>hello<｜Assistant｜>.",
    "什么是 <start_of_turn>?",
]


@pytest.mark.parametrize("text", PLAIN)
def test_a_text_that_only_mentions_a_marker_is_no_rendering(text):
    assert dialect_of(text) is None
    assert read({"text": text, "label": "x"}) == ("classification", Record((u(text), a("x"))))
    assert read({"prompt": text, "completion": "C"}) == ("prompt_completion", Record((u(text), a("C"))))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "<|im_start|>user\nhi<|im_start|>assistant\nyo<|im_end|>",
            "ChatML, and its markers do not match: turn 1 (user) is opened and not closed: <|im_end|> is missing before the next turn.",
        ),
        (
            "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\nyo and then the te",
            "ChatML, and its markers do not match: its last turn (assistant) is not closed by <|im_end|>. It may be cut off.",
        ),
        (
            "<|im_start|>user\nhi<|im_end|>\nlost words<|im_start|>assistant\nyo<|im_end|>",
            'ChatML, and its markers do not match: behind turn 1 stands a text outside any turn: "lost words<|im_start|>assistant yo<|im_e…".',
        ),
        (
            "<s>[INST] hi [INST] you [/INST] yo</s>",
            "the [INST] form of Llama 2 and Mistral, and its markers do not match: [INST] is opened and not closed before [INST].",
        ),
        (
            "<s>[INST] hi [/INST] yo [/INST] yo</s>",
            "the [INST] form of Llama 2 and Mistral, and its markers do not match: [/INST] closes what was not opened.",
        ),
        (
            "<s>[INST] <<SYS>>\nbe brief\n\nhi [/INST] yo</s>",
            "the [INST] form of Llama 2 and Mistral, and its markers do not match: <<SYS>> and <</SYS>> do not match, or do not stand at the "
            "beginning of [INST].",
        ),
        (
            "<|user|>\nhi<|end|>\n<|assistant|>\nyo",
            "Phi's or Zephyr's template, and its markers do not match: its last turn (assistant) is not closed by <|end|>. It may be cut off.",
        ),
        (
            "USER: hi USER: there ASSISTANT: yo",
            'Vicuna\'s form, and its markers do not match: "USER:" stands twice without an answer between, so the turns cannot be told apart.',
        ),
        (
            "### Instruction:\nA\n\n### Response:\nB\n\n### Response:\nC",
            'Alpaca\'s form, and its markers do not match: "### Response:" stands without an instruction before it.',
        ),
        (
            "### Instruction:\nA\n\n### Input:\nB",
            "Alpaca's form, and its markers do not match: there is no ### Response: behind the last instruction. It may be cut off.",
        ),
    ],
)
def test_a_rendering_whose_markers_do_not_match_is_refused_with_the_reason(text, reason):
    assert read({"text": text}) == f"It is a conversation written in {reason}"


def test_a_plain_text_among_renderings_is_set_aside_with_what_it_begins_with():
    assert read({"text": "Once upon a time"}, asked="rendered") == (
        'The column "text" holds a text in which no turns can be told apart; it begins "Once upon a time". '
        "Say in the mapping which column holds what, e.g. question and answer."
    )


@pytest.mark.parametrize(
    ("prompt", "completion"),
    [
        ("<|im_start|>user\nP<|im_end|>\n<|im_start|>assistant\n", "C<|im_end|>"),
        ("<s>[INST] P [/INST]", "C</s>"),
        ("\n\nHuman: P\n\nAssistant:", "C"),
        ("Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
         "### Instruction:\nP\n\n### Response:\n", "C"),
        ("USER: P ASSISTANT:", "C</s>"),
    ],
)  # fmt: skip
def test_a_rendered_prompt_with_its_answer_in_another_column_is_read_as_turns(prompt, completion):
    assert read({"prompt": prompt, "completion": completion}) == ("prompt_completion", Record((u("P"), a("C"))))
    row = {"prompt": prompt, "completion": completion, "label": True}
    assert read(row) == ("unpaired_preference", Record((u("P"), a("C")), "unpaired", label=True))


def test_a_dialogue_in_a_prompt_or_an_answer_is_not_taken_for_turns():
    dialogue = "User: hi\nAssistant: hello\nWrite this dialogue in French."
    assert read({"prompt": dialogue, "completion": "C"}) == ("prompt_completion", Record((u(dialogue), a("C"))))
    answer = "Human: hi\nAssistant: hello"
    pair = Record((u("Write a dialogue."),), "preference", chosen=(a(answer),), rejected=(a("no"),))
    assert read({"prompt": "Write a dialogue.", "chosen": answer, "rejected": "no"}) == ("preference", pair)


def test_preference_sides_that_are_rendered_are_read_and_share_their_prompt():
    head = "<|im_start|>user\nP<|im_end|>\n<|im_start|>assistant\n"
    row = {"chosen": f"{head}C<|im_end|>\n", "rejected": f"{head}R<|im_end|>\n"}
    assert read(row) == ("preference", Record((u("P"),), "preference", chosen=(a("C"),), rejected=(a("R"),)))


def test_a_table_that_has_the_parts_and_their_rendering_is_read_by_the_parts():
    text = GOLDEN["Alpaca"][0]
    row = {"instruction": "Add.", "input": "2 and 2", "output": "4", "text": text}
    assert read(row) == ("alpaca", Record((u("Add.\n\n2 and 2"), a("4")), meta={"text": text}))


# Round trips: whatever is said, the turns come back. The templates are those that TRL ships for the models of these names.
spoken = st.text(st.sampled_from("ab cÄ中\n<|>[]/#:_"), min_size=1, max_size=12).map(str.strip).filter(bool)
plain = st.text(st.sampled_from("ab cÄ中\n.,!?"), min_size=1, max_size=12).map(str.strip).filter(bool)
exchanges = st.lists(st.tuples(spoken, spoken), min_size=1, max_size=3)
plain_exchanges = st.lists(st.tuples(plain, plain), min_size=1, max_size=3)


def turns(pairs: list[tuple[str, str]], system: str | None = None) -> tuple[Message, ...]:
    said = [turn for question, answer in pairs for turn in (u(question), a(answer))]
    return tuple([s(system), *said] if system else said)


def read_back(text: str) -> tuple[Message, ...]:
    dialect = dialect_of(text)
    assert dialect is not None, text
    return read_rendered(text, dialect).messages


TEMPLATES = {"qwen3_instruct_2507": "", "lfm2": "<|startoftext|>", "llama3": "<|begin_of_text|>", "llama3_1": "<|begin_of_text|>", "gemma": "<bos>",
             "phi3": "", "cohere": "<BOS_TOKEN>", "deepseekv3": "<｜begin▁of▁sentence｜>", "glm4moe_training": ""}  # fmt: skip
WITHOUT_SYSTEM = {"gemma"}


def trl_template(name: str) -> str:
    """A chat template that TRL ships. Skips the test where it is not there."""
    found = importlib.util.find_spec("trl")
    path = Path(found.origin).parent / "chat_templates" / f"{name}.jinja" if found and found.origin else None
    if path is None or not path.is_file():
        pytest.skip(f"needs the chat template {name} of TRL")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TEMPLATES)
@given(pairs=exchanges, system=st.none() | spoken)
def test_what_the_chat_template_of_a_model_writes_is_read_back(name, pairs, system):
    from transformers.utils.chat_template_utils import render_jinja_template

    said = turns(pairs, None if name in WITHOUT_SYSTEM else system)
    template, start = trl_template(name), TEMPLATES[name]
    chat = [turn.to_json() for turn in said]
    (text,), _ = render_jinja_template([chat], chat_template=template, bos_token=start, eos_token="<|endoftext|>")
    assert read_back(text) == said


def llama2(pairs, system):
    head = f"<<SYS>>\n{system}\n<</SYS>>\n\n" if system else ""
    return "".join(f"<s>[INST] {head if i == 0 else ''}{q} [/INST] {r} </s>" for i, (q, r) in enumerate(pairs))


def mistral(pairs, system):
    head = f"[SYSTEM_PROMPT]{system}[/SYSTEM_PROMPT]" if system else ""
    return "<s>" + head + "".join(f"[INST]{q}[/INST]{r}</s>" for q, r in pairs)


def zephyr(pairs, system):
    head = f"<|system|>\n{system}</s>\n" if system else ""
    return head + "".join(f"<|user|>\n{q}</s>\n<|assistant|>\n{r}</s>\n" for q, r in pairs)


def vicuna(pairs, system):
    return (f"A chat between {system} " if system else "") + "".join(f"USER: {q} ASSISTANT: {r}</s>" for q, r in pairs)


def guanaco(pairs, system):
    return (f"### System: {system}" if system else "") + "".join(f"### Human: {q}### Assistant: {r}" for q, r in pairs)


def alpaca(pairs, system):
    return (f"### System:\n{system}\n\n" if system else "") + "".join(f"### Instruction:\n{q}\n\n### Response:\n{r}\n\n" for q, r in pairs)


def transcript(pairs, system):
    return (f"System: {system}\n" if system else "") + "\n".join(f"Human: {q}\nAssistant: {r}" for q, r in pairs)


@pytest.mark.parametrize("render", [llama2, mistral, zephyr])
@given(pairs=exchanges, system=st.none() | spoken)
def test_what_older_templates_write_is_read_back(render, pairs, system):
    assert read_back(render(pairs, system)) == turns(pairs, system)


@pytest.mark.parametrize("render", [vicuna, guanaco, alpaca, transcript])
@given(pairs=plain_exchanges, system=st.none() | plain)
def test_what_is_laid_out_with_words_and_colons_is_read_back(render, pairs, system):
    said = f"A chat between {system}" if system and render is vicuna else system
    assert read_back(render(pairs, system)) == turns(pairs, said)


@given(st.lists(st.sampled_from(["<|im_start|>", "user\n", "assistant\n", "<|im_end|>", "[INST]", "[/INST]", "</s>", "<s>", "USER:", "ASSISTANT:", "hi ",
                                "\n", "### Instruction:", "### Response:", "<|user|>", "<|assistant|>", "Human:", "Assistant:", "<<SYS>>"]), max_size=8).map("".join))  # fmt: skip
def test_no_heap_of_markers_ends_in_anything_but_turns_or_a_reason(text):
    dialect = dialect_of(text)
    if dialect is None:
        return
    try:
        found = read_rendered(text, dialect).messages
    except Unfit as error:
        assert str(error).endswith(".")
    else:
        assert all(turn.role in ("system", "user", "assistant", "tool") for turn in found)


LONG = 100_000


@pytest.mark.parametrize(
    "text",
    [
        "<|im_start|>user\n" + " " * LONG + "x<|im_end|>", "USER: a ASSISTANT: " + "\n" * LONG + "b", "\n\nHuman: " + "\n" * LONG + "x\n\nAssistant: b",
        "[INST] a [/INST]" + " " * LONG + "b" + "</s>" * 1000, "### Instruction:\n" + "\n" * LONG + "a\n### Response:\nb", "<s>" * LONG,
        "<|user|>" * (LONG // 10) + "<|assistant|>", "<tool_call>" * LONG, "</tool_call>" * LONG + "<tool_call>" * 150, "[TOOL_CALLS]" + " " * LONG + "{",
        "<|python_tag|>" + " " * LONG + "{", "<functioncall>" + "{}" * LONG, "<function=a>" * 150 + " " * LONG, "<tool_response>a</tool_response>" * 150 + "x",
    ],
)  # fmt: skip
@pytest.mark.timeout(60)
def test_no_text_keeps_the_search_for_markers_busy(text):
    for role in ("user", "assistant", "system"):
        read({"messages": [{"role": role, "content": text}]})
    read({"text": text})
    read({"prompt": text, "completion": text})
