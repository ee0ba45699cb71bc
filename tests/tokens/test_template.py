import json
import subprocess
import sys

import pytest

from pipelines.errors import WorkbenchError
from pipelines.records import Message
from pipelines.tokens.template import chat_format, load_chat_format
from tests.tokens.tokenizers import CHATML, byte_tokenizer

CALL = json.dumps([{"type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}])
TOOLS = json.dumps([{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}])
PLAIN = [Message("system", "Be brief."), Message("user", "hi"), Message("assistant", "yo"), Message("user", "more")]
WITH_TOOLS = [Message("user", "Rain?"), Message("assistant", "", tool_calls=CALL), Message("tool", "no"), Message("assistant", "No.")]

SMOLLM = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are Smol<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def test_the_models_own_template_is_used_as_it_is():
    chat = chat_format(byte_tokenizer())
    assert chat.origin == "model" and chat.template == CHATML
    assert chat.render(PLAIN[:2], add_generation_prompt=True) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
    )


def test_a_template_that_leaves_calls_out_is_replaced_only_when_calls_are_needed():
    tokenizer = byte_tokenizer(SMOLLM)
    assert chat_format(tokenizer).origin == "model"
    assert not chat_format(tokenizer).calls_tools
    with_tools = chat_format(tokenizer, needs_tools=True)
    assert with_tools.origin == "chatml with tools" and with_tools.calls_tools
    text = with_tools.render(WITH_TOOLS, TOOLS)
    assert '<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call><|im_end|>' in text
    assert "<|im_start|>tool\n<tool_response>\nno\n</tool_response><|im_end|>" in text
    assert text.startswith("<|im_start|>system\nYou are Smol\n\nYou can call these tools:\n<tools>\n")


@pytest.mark.parametrize("turns", [PLAIN, PLAIN[1:], PLAIN[:2], [Message("user", 'a "quoted"\nline')]])
def test_the_replacement_renders_plain_turns_like_the_models_own_template(turns):
    own, replaced = chat_format(byte_tokenizer(SMOLLM)), chat_format(byte_tokenizer(SMOLLM), needs_tools=True)
    for prompt in (False, True):
        assert replaced.render(turns, add_generation_prompt=prompt) == own.render(turns, add_generation_prompt=prompt)


def test_a_model_without_a_template_gets_chatml_ended_by_its_own_end_token():
    chat = chat_format(byte_tokenizer(None, special=["</s>"], eos="</s>"))
    assert chat.origin == "chatml"
    assert chat.render([Message("user", "hi"), Message("assistant", "yo")]) == "<|im_start|>user\nhi</s>\n<|im_start|>assistant\nyo</s>\n"


def test_a_model_without_any_end_token_is_refused():
    tokenizer = byte_tokenizer(None, special=["<x>"], eos="<x>")
    tokenizer.eos_token = None
    with pytest.raises(WorkbenchError, match="end token"):
        chat_format(tokenizer)


def test_the_saved_template_gives_the_same_text_to_anyone(tmp_path):
    chat = chat_format(byte_tokenizer(SMOLLM), needs_tools=True)
    chat.tokenizer.save_pretrained(tmp_path)
    (tmp_path / "chat_template.jinja").write_text(chat.template)
    again = load_chat_format(str(tmp_path))
    assert again.origin == "model" and again.render(WITH_TOOLS, TOOLS) == chat.render(WITH_TOOLS, TOOLS)


def test_the_tokenizer_of_a_plain_folder_loads_without_torch(tmp_path):
    byte_tokenizer().save_pretrained(tmp_path)
    code = (
        "import sys; from pipelines.records import Message, Record\n"
        "from pipelines.tokens.template import load_chat_format, loads_without_torch\n"
        "from pipelines.tokens.example import tokenise_record\n"
        f"base = {str(tmp_path)!r}; assert loads_without_torch(base); chat = load_chat_format(base)\n"
        "assert tokenise_record(Record((Message('user', 'a'), Message('assistant', 'b'))), chat).trained_tokens == 2\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
