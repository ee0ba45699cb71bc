"""Chat template: how turns become the text a model sees. One per run, saved with the adapter."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from jinja2.exceptions import TemplateError

from pipelines import models
from pipelines.errors import WorkbenchError
from pipelines.records import Message, content_hash

Origin = Literal["model", "chatml", "chatml with tools"]
NOTES: dict[Origin, str] = {
    "model": "The model's own chat template.",
    "chatml": "Winnow's ChatML template, because the model has none of its own.",
    "chatml with tools": "Winnow's ChatML template with tools, because the model's own leaves tool calls out. Else both give the same.",
}
"""What each origin means, for manifests and model cards."""
_TORCH_FREE_CLASSES = ("TokenizersBackend", "PreTrainedTokenizerFast")


@dataclass(frozen=True, slots=True, eq=False)
class ChatFormat:
    """A tokenizer together with the template that renders turns for it."""

    tokenizer: Any
    """A fast tokenizer of transformers."""
    template: str
    """The Jinja text."""
    origin: Origin
    control_tokens: tuple[str, ...]
    """Every text the tokenizer turns into a special token, longest first."""
    calls_tools: bool
    """Whether tools, tool calls and their results survive rendering."""
    writes_reasoning: bool = False
    """Whether the template writes the reasoning of an answer. Where it does not, the reasoning stands in <think> tags before the answer."""

    @property
    def hash(self) -> str:
        """Identifies the template."""
        return content_hash(self.template)

    @property
    def control_pattern(self) -> re.Pattern[str]:
        """Matches any control token."""
        return _control_pattern(self.control_tokens)

    def render(self, turns: Sequence[Message], tools: str | None = None, *, add_generation_prompt: bool = False) -> str:
        """The text of the turns; with `add_generation_prompt`, up to where the model would begin its answer.

        Raises jinja2.TemplateError when the template refuses the conversation, ValueError when tools or calls are not valid JSON.
        """
        return self.tokenizer.apply_chat_template(
            [_rendered_form(turn, self.writes_reasoning) for turn in turns],
            tools=_parsed_list(tools) if tools else None,
            chat_template=self.template,
            add_generation_prompt=add_generation_prompt,
            tokenize=False,
        )


def load_chat_format(base: str = models.BASE_MODEL, *, needs_tools: bool = False) -> ChatFormat:
    """The tokenizer and template of a base model (short name, folder or hub id) or of a run's adapter folder.

    `needs_tools` says that the rows hold tool calls: a ChatML model whose template leaves them out then gets one that writes them.
    """
    return chat_format(load_tokenizer(base), needs_tools=needs_tools)


def load_tokenizer(base: str) -> Any:
    """The fast tokenizer of a model. Without importing torch where the folder names a plain fast tokenizer, as the shipped one does."""
    path = models.base_model(base)
    if loads_without_torch(base):
        from transformers.tokenization_utils_tokenizers import TokenizersBackend

        return TokenizersBackend.from_pretrained(path)
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(path)
    except (OSError, ValueError) as error:
        raise WorkbenchError(f"Cannot load the tokenizer of {base}: {error} Give a folder or a hub id that can be reached.") from error
    if not tokenizer.is_fast:
        raise WorkbenchError(
            f"{base} has no fast tokenizer, which is needed to find the answers among the tokens. Choose another base model."
        )
    return tokenizer


def loads_without_torch(base: str) -> bool:
    """Whether `load_tokenizer` can be called in a process that must not import torch."""
    config = Path(models.base_model(base)) / "tokenizer_config.json"
    return config.is_file() and json.loads(config.read_text(encoding="utf-8")).get("tokenizer_class") in _TORCH_FREE_CLASSES


def chat_format(tokenizer: Any, *, needs_tools: bool = False) -> ChatFormat:
    """The chat format of a loaded tokenizer: its own template, or Winnow's ChatML where it has none or cannot write needed tool calls."""
    own = tokenizer.chat_template
    if own is None:
        return _chat_format(tokenizer, _chatml(tokenizer, default_system=""), "chatml")
    if not isinstance(own, str):  # several named templates
        own = tokenizer.get_chat_template(tools=[{}] if needs_tools else None)
    format_ = _chat_format(tokenizer, own, "model")
    if needs_tools and not format_.calls_tools and {"<|im_start|>", "<|im_end|>"} <= set(format_.control_tokens):
        return _chat_format(tokenizer, _chatml(tokenizer, default_system=_default_system(format_)), "chatml with tools")
    return format_


def _chat_format(tokenizer: Any, template: str, origin: Origin) -> ChatFormat:
    special = {str(token) for token in tokenizer.added_tokens_decoder.values() if token.special} | set(tokenizer.all_special_tokens)
    control = tuple(sorted((token for token in special if token.strip()), key=lambda token: (-len(token), token)))
    return ChatFormat(tokenizer, template, origin, control, _renders_tools(tokenizer, template), _renders_reasoning(tokenizer, template))


def _chatml(tokenizer: Any, default_system: str) -> str:
    """Winnow's template for this tokenizer. The turn end is `<|im_end|>` where that is one token, else the model's own end token."""
    vocabulary = tokenizer.get_vocab()
    turn_end = "<|im_end|>" if "<|im_end|>" in vocabulary else tokenizer.eos_token
    if not turn_end:
        raise WorkbenchError("The base model names no end token, so it could not learn where an answer ends. Choose another base model.")
    # Tokenising the rendered text adds no special tokens, so a model that expects a start token gets it from the template.
    starts = tokenizer("").input_ids
    bos = tokenizer.bos_token if tokenizer.bos_token and starts[:1] == [tokenizer.bos_token_id] else ""
    values = {"bos": bos, "turn_end": turn_end, "default_system": default_system}
    head = "".join(f"{{%- set {name} = {json.dumps(value)} -%}}\n" for name, value in values.items())
    return head + resources.files(__package__).joinpath("chatml.jinja").read_text(encoding="utf-8")


def _default_system(own: ChatFormat) -> str:
    """The system prompt a ChatML template adds by itself, or an empty string."""
    text = own.render([Message("user", "hello")])
    found = re.match(r"<\|im_start\|>system\n(.*?)<\|im_end\|>\n<\|im_start\|>user\nhello", text, re.DOTALL)
    return found.group(1) if found else ""


def _renders_tools(tokenizer: Any, template: str) -> bool:
    """Whether nothing of a conversation with a tool gets lost. Many templates drop calls or declarations without a word."""
    parts = ("winnow_declared", "winnow_called", "winnow_argument", "winnow_value", "winnow_result")
    declared, called, argument, value, result = parts
    tool = {"type": "function", "function": {"name": declared, "description": "", "parameters": {"type": "object", "properties": {}}}}
    call = {"id": "call00001", "type": "function", "function": {"name": called, "arguments": {argument: value}}}
    turns = [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "name": called, "tool_call_id": "call00001", "content": result},
        {"role": "assistant", "content": "done"},
    ]
    try:
        text = tokenizer.apply_chat_template(turns, tools=[tool], chat_template=template, tokenize=False)
    except (TemplateError, TypeError):
        return False
    return all(part in text for part in parts)


def _renders_reasoning(tokenizer: Any, template: str) -> bool:
    """Whether the template writes `reasoning_content`. Most know of no such thing and drop it without a word."""
    answer = {"role": "assistant", "content": "winnow_answer", "reasoning_content": "winnow_reasoning"}
    try:
        text = tokenizer.apply_chat_template([{"role": "user", "content": "hello"}, answer], chat_template=template, tokenize=False)
    except (TemplateError, TypeError):
        return False
    return "winnow_reasoning" in text and "winnow_answer" in text


@functools.lru_cache(maxsize=8)
def _control_pattern(tokens: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, tokens)) or r"(?!)")


def _rendered_form(turn: Message, writes_reasoning: bool) -> dict[str, Any]:
    """The turn as chat templates expect it: calls parsed, their arguments as an object where they are one."""
    form = turn.to_json()
    if turn.reasoning_content is not None and not writes_reasoning:
        # As the models write it that have no place of its own for it (DeepSeek-R1, QwQ).
        form["content"] = f"<think>\n{form.pop('reasoning_content')}\n</think>\n\n{turn.content}"
    if turn.tool_calls:
        form["tool_calls"] = [_parsed_call(call) for call in _parsed_list(turn.tool_calls)]
    return form


def _parsed_list(text: str) -> list[dict[str, Any]]:
    listed = json.loads(text)
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise ValueError("expected a JSON list of objects")
    return listed


def _parsed_call(call: dict[str, Any]) -> dict[str, Any]:
    function = call.get("function", call)
    if not isinstance(function, dict):
        raise ValueError("expected a JSON object that describes the call")
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except json.JSONDecodeError:
            arguments = function["arguments"]  # kept as it is: the template writes it as text
    function = function | {"arguments": {} if arguments is None else arguments}
    return call | {"function": function} if "function" in call else {"type": "function", "function": function}
