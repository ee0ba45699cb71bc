import importlib.util
import itertools
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.records import Message, Record
from pipelines.tokens.example import (
    ANSWER_CHANGED,
    BAD_TOOLS,
    EMPTY_ANSWERS,
    IGNORED,
    NO_ANSWER,
    NO_LABEL,
    NONE_LEARNED,
    TOOLS_LOST,
    TURNS_REWRITTEN,
    UNWANTED,
    Example,
    Refused,
    token_texts,
    tokenise,
    tokenise_record,
)
from pipelines.tokens.template import chat_format, load_chat_format
from tests.conftest import chat as exchange
from tests.tokens.test_template import CALL, TOOLS
from tests.tokens.tokenizers import byte_tokenizer

QWEN3_LIKE = (
    "{% set last = namespace(user=-1) %}"
    "{% for m in messages %}{% if m['role'] == 'user' %}{% set last.user = loop.index0 %}{% endif %}{% endfor %}"
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['role'] == 'assistant' and loop.index0 > last.user %}<think>\n\n</think>\n\n{% endif %}"
    "{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""Renders the last answer with a thought and earlier ones without, so that no rendering is the beginning of a longer one."""
STRICT = (
    "{% for m in messages %}"
    "{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}"
    "<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def trained_text(record, chat) -> list[str]:
    """The trained stretches of text."""
    example = tokenise_record(record, chat)
    assert isinstance(example, Example), example
    stretches, before = [], False
    for text, trained in token_texts(example, chat):
        if trained:
            stretches = [*stretches[:-1], stretches[-1] + text] if before else [*stretches, text]
        before = trained
    return stretches


def test_answers_are_trained_with_their_turn_end_and_without_the_newline_after_it(chat):
    assert trained_text(exchange("hi", "yo"), chat) == ["yo<|im_end|>"]


def test_every_assistant_turn_is_trained_and_nothing_else(chat):
    turns = ("system", "S"), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")
    assert trained_text(Record(tuple(Message(*turn) for turn in turns)), chat) == ["b<|im_end|>", "d<|im_end|>"]


def test_labels_are_the_tokens_where_trained_and_ignored_elsewhere(chat):
    example = tokenise_record(exchange("hi", "yo"), chat)
    shown = token_texts(example, chat)
    assert [label != IGNORED for label in example.labels] == [trained for _, trained in shown]
    assert all(label in (IGNORED, token) for label, token in zip(example.labels, example.input_ids, strict=True))
    assert example.trained_tokens == 3 and example.tokens == len(shown)


def test_tool_calls_are_trained_and_results_are_not():
    chat = chat_format(byte_tokenizer(), needs_tools=True)
    record = Record(
        (Message("user", "Rain?"), Message("assistant", "", tool_calls=CALL), Message("tool", "no"), Message("assistant", "No.")),
        tools=TOOLS,
    )
    call = '<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call><|im_end|>'
    assert trained_text(record, chat) == [call, "No.<|im_end|>"]


def test_rows_with_tools_are_refused_when_the_template_leaves_them_out():
    chat = chat_format(byte_tokenizer(special=["<|im_end|>"]), needs_tools=True)  # not ChatML: <|im_start|> is no token of it
    assert tokenise_record(Record(exchange("a", "b").messages, tools=TOOLS), chat).reason == TOOLS_LOST


def test_a_preference_pair_trains_the_chosen_answer(chat):
    pair = Record(
        (Message("user", "q"),), kind="preference", chosen=(Message("assistant", "good"),), rejected=(Message("assistant", "bad"),)
    )
    assert trained_text(pair, chat) == ["good<|im_end|>"]


@pytest.mark.parametrize(("label", "outcome"), [(True, None), (False, UNWANTED), (None, NO_LABEL)])
def test_unpaired_answers_are_trained_only_when_wanted(chat, label, outcome):
    record = tokenise_record(Record(exchange("q", "a").messages, kind="unpaired", label=label), chat)
    assert (record.reason if isinstance(record, Refused) else None) == outcome


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ([("user", "q")], NO_ANSWER),
        ([], NO_ANSWER),
        ([("user", "q"), ("assistant", " \n")], EMPTY_ANSWERS),
        ([("user", "q"), ("bot", "a")], 'role "bot" is not one of system, user, assistant, tool'),
    ],
)
def test_a_row_without_anything_to_learn_is_refused_with_the_reason(chat, turns, reason):
    assert tokenise_record(Record(tuple(Message(*turn) for turn in turns)), chat).reason == reason


def test_what_the_template_refuses_is_refused_with_its_own_words():
    chat = chat_format(byte_tokenizer(STRICT))
    twice = Record((Message("user", "a"), Message("user", "b"), Message("assistant", "c")))
    assert tokenise_record(twice, chat).reason == "the model's chat template refuses it: roles must alternate"


def test_calls_that_are_not_json_are_refused():
    chat = chat_format(byte_tokenizer(), needs_tools=True)
    for calls in ("not json", "{}", '["a"]', '[{"function": "f"}]'):
        assert tokenise_record(Record((Message("user", "q"), Message("assistant", "", tool_calls=calls))), chat).reason == BAD_TOOLS


def test_an_empty_answer_among_others_is_left_untrained_and_counted(chat):
    record = Record((Message("user", "a"), Message("assistant", ""), Message("user", "b"), Message("assistant", "c")))
    assert trained_text(record, chat) == ["c<|im_end|>"]
    assert tokenise_record(record, chat).empty_turns == 1


def test_earlier_answers_are_found_though_the_template_rewrites_them():
    chat = chat_format(byte_tokenizer(QWEN3_LIKE))
    record = Record((Message("user", "a"), Message("assistant", "b"), Message("user", "c"), Message("assistant", "d")))
    assert trained_text(record, chat) == ["b<|im_end|>", "<think>\n\n</think>\n\nd<|im_end|>"]


def test_an_answer_that_opens_the_conversation_is_found(chat):
    record = Record((Message("assistant", "Welcome"), Message("user", "b"), Message("assistant", "c")))
    assert trained_text(record, chat) == ["Welcome<|im_end|>", "c<|im_end|>"]


def test_a_template_that_shows_an_answer_twice_is_refused():
    twice = chat_format(byte_tokenizer("{% for m in messages %}{{ m['content'] }}<|im_end|>{{ m['content'] | length }}{% endfor %}"))
    assert tokenise_record(Record((Message("assistant", "a"), Message("user", "b"))), twice).reason == TURNS_REWRITTEN


def test_an_answer_without_turn_end_is_trained_and_reported():
    bare = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
    example = tokenise_record(exchange("a", "b"), chat_format(byte_tokenizer(bare)))
    assert example.open_turns == 1


def test_typed_control_tokens_are_counted(chat):
    assert tokenise_record(exchange("say <|im_end|> twice: <|im_end|>", "no"), chat).control_tokens == 2
    assert tokenise_record(exchange("say nothing", "no"), chat).control_tokens == 0


def test_the_start_token_is_not_doubled():
    from tokenizers import processors

    template = "<s>{{ messages[0]['content'] }} A:{% if not add_generation_prompt %}{{ messages[1]['content'] }}</s>{% endif %}"
    tokenizer = byte_tokenizer(template, special=["<s>", "</s>"], eos="</s>")
    tokenizer.bos_token = "<s>"
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 0)])
    assert tokenizer("x").input_ids[0] == 0
    assert tokenise_record(exchange("q", "a"), chat_format(tokenizer)).input_ids.tolist().count(0) == 1
    tokenizer.chat_template = None  # then Winnow's template has to write it
    example = tokenise_record(exchange("q", "a"), chat_format(tokenizer))
    assert example.input_ids.tolist().count(0) == 1 and example.input_ids[0] == 0


contents = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=12).filter(str.strip)


@given(st.lists(st.tuples(contents, contents), min_size=1, max_size=3))
def test_the_trained_text_is_exactly_the_answers(chat, exchanges):
    turns = [Message(role, text) for pair in exchanges for role, text in zip(("user", "assistant"), pair, strict=True)]
    example = tokenise_record(Record(tuple(turns)), chat)
    shown = token_texts(example, chat)
    assert "".join(text for text, _ in shown) == example.text
    assert "".join(text for text, trained in shown if trained) == "".join(answer + "<|im_end|>" for _, answer in exchanges)


def test_rows_come_out_in_order_whatever_their_number(chat):
    rows = [(f"r{i}", exchange(f"q{i}", "a" if i % 3 else "")) for i in range(1100)]
    outcomes = list(tokenise(rows, chat))
    assert [each.row for each in outcomes] == [row for row, _ in rows]
    assert sum(isinstance(each, Refused) for each in outcomes) == 367


def test_an_answer_the_template_leaves_out_is_refused(chat):
    vision = (
        "{% for m in messages %}{{ m['role'] }}:{% for part in m['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}{% endif %}"
    )
    vision += "{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"
    assert tokenise_record(exchange("a", "b"), chat_format(byte_tokenizer(vision))).reason == ANSWER_CHANGED


def marked_templates() -> list[Path]:
    """The templates of TRL that come with a copy in which the answers are marked."""
    found = importlib.util.find_spec("trl")
    folder = Path(next(iter(found.submodule_search_locations))) / "chat_templates"
    return sorted(path for path in folder.glob("*.jinja") if path.with_name(f"{path.stem}_training.jinja").is_file())


WITHOUT_TEXT = {"idefics3", "llava_next", "smolvlm"}
"""Made for images: they take no plain text."""
WITHOUT_TURN_END = {"glm4moe"}
"""TRL trains the next turn's start in its place."""


@pytest.mark.parametrize(
    "path", [p for p in marked_templates() if p.stem not in WITHOUT_TEXT | WITHOUT_TURN_END], ids=lambda path: path.stem
)
def test_the_answers_found_are_those_trl_marks_in_the_templates_of_known_models(path):
    template = path.read_text(encoding="utf-8")
    special = sorted(set(re.findall(r"<\|[^|>\s]+\|>|<｜[^｜]+｜>|<(?:start|end)_of_turn>|<turn\|>|<\|turn>", template)))
    tokenizer = byte_tokenizer(template, special=special, eos=next(token for token in special if re.search("end|eot|turn|END", token)))
    tokenizer.bos_token = special[0]
    turns = (Message("user", "a"), Message("assistant", "bee"), Message("user", "c"), Message("assistant", "dee"))
    marked = tokenizer.apply_chat_template(
        [turn.to_json() for turn in turns],
        chat_template=path.with_name(f"{path.stem}_training.jinja").read_text(encoding="utf-8"),
        return_assistant_tokens_mask=True,
        return_dict=True,
    )
    groups = itertools.groupby(zip(marked["input_ids"], marked["assistant_masks"], strict=True), key=lambda pair: pair[1])
    theirs = [tokenizer.decode([token for token, _ in group]) for is_marked, group in groups if is_marked]
    ours = trained_text(Record(turns), chat_format(tokenizer))
    assert len(ours) == len(theirs) == 2
    # TRL also marks the newline after the turn end and, for some, the start of the turn, neither of which a model has to write.
    assert all(whole.rstrip("\n").endswith(mine) for mine, whole in zip(ours, theirs, strict=True))
    assert ours[0].startswith("bee") or "bee<" in ours[0]


@pytest.mark.slow
def test_the_shipped_model_agrees_with_its_own_tokenisation():
    chat = load_chat_format(needs_tools=False)
    for record in (exchange("What is 2+2?", "4"), Record((Message("system", "S"), *exchange("é 🙂", '{"a": 1}').messages))):
        example = tokenise_record(record, chat)
        own = chat.tokenizer.apply_chat_template([turn.to_json() for turn in record.messages], return_dict=False)
        assert example.input_ids.tolist() == own
        assert trained_text(record, chat) == [record.answer + "<|im_end|>"]


@pytest.mark.slow
def test_the_shipped_model_learns_tool_calls():
    chat = load_chat_format(needs_tools=True)
    record = Record((Message("user", "Rain?"), Message("assistant", "", tool_calls=CALL)), tools=TOOLS)
    assert trained_text(record, chat)[0].endswith("</tool_call><|im_end|>")
    assert json.loads(trained_text(record, chat)[0].split("\n")[1])["arguments"] == {"city": "Rome"}


def test_an_answer_of_weight_zero_is_read_and_not_learned(chat):
    turns = (Message("user", "a"), Message("assistant", "no", weight=0), Message("user", "b"), Message("assistant", "yes"))
    example = tokenise_record(Record(turns), chat)
    assert "no<|im_end|>" in example.text
    assert trained_text(Record(turns), chat) == ["yes<|im_end|>"]
    assert example.empty_turns == 0
    assert tokenise_record(Record(turns[:2]), chat) == Refused(Record(turns[:2]).id, NONE_LEARNED)


THINKING = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['reasoning_content'] %}[{{ m['reasoning_content'] }}]{% endif %}{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def test_reasoning_is_learned_where_the_template_writes_it_and_stands_in_tags_where_it_does_not(chat):
    record = Record((Message("user", "2+2"), Message("assistant", "4", reasoning_content="two and two")))
    assert trained_text(record, chat) == ["<think>\ntwo and two\n</think>\n\n4<|im_end|>"]
    assert trained_text(record, chat_format(byte_tokenizer(THINKING))) == ["[two and two]4<|im_end|>"]


def test_a_control_token_in_the_reasoning_is_counted(chat):
    record = Record((Message("user", "q"), Message("assistant", "a", reasoning_content="then <|im_end|> comes")))
    assert tokenise_record(record, chat).control_tokens == 1
