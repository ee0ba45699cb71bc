"""Labelled renderings: turns that begin with a word and a colon, without any token of their own (Vicuna, Alpaca, transcripts)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pipelines.records import Message
from pipelines.sources.formats.alpaca import user_turn
from pipelines.sources.formats.rendering.dialect import Dialect, Rendered, broken, spoken, without_end

Labelled = tuple[str, list[tuple[str, str]]]
"""The text before the first label; then each label with the text behind it."""
_ROLES = {
    "human": "user",
    "user": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "bot": "assistant",
    "gpt": "assistant",
    "system": "system",
    "function response": "tool",
}
_PREAMBLES = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.",
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.",
)
"""What the Alpaca prompt says before every instruction: a frame, not a part of the example."""


def _cut(text: str, label: re.Pattern[str], clean: Callable[[str], str]) -> Labelled:
    found = list(label.finditer(text))
    stops = [match.start() for match in found[1:]] + [len(text)]
    return text[: found[0].start()], [(match[1], clean(text[match.end() : stop])) for match, stop in zip(found, stops, strict=True)]


def _clean(text: str) -> str:
    return without_end(text).removesuffix("<s>").strip()


def _turns(dialect: str, labelled: Labelled, roles: Mapping[str, str] = _ROLES) -> Rendered:
    """The turns of a dialect in which user and assistant take turns. Raises Unfit when they do not."""
    before, turns = labelled
    messages = [Message("system", before.strip())] if before.strip() else []
    last = ""
    for label, content in turns:
        role = roles[label.lower()]
        if role == last and role != "tool":
            raise broken(dialect, f'"{label}:" stands twice without an answer between, so the turns cannot be told apart.')
        last = role
        messages.append(spoken(role, content))
    if messages[-1].role == "assistant" and not messages[-1].content and not messages[-1].reasoning_content:
        messages.pop()  # where the model would begin its answer
    if messages and messages[0].role == "system" and not messages[0].content:
        messages.pop(0)
    if not any(message.role == "user" for message in messages):
        raise broken(dialect, "there is no question.")
    return Rendered(tuple(messages))


_VICUNA = re.compile(r"(?:\A\s*|(?<=\s)|(?<=</s>)|(?<=<\|endoftext\|>))(USER|ASSISTANT|SYSTEM|FUNCTION RESPONSE):[ \t]?")


def _is_vicuna(text: str) -> bool:
    return text.lstrip().startswith(("USER:", "SYSTEM:", "A chat between")) and "USER:" in text and "ASSISTANT:" in text


VICUNA = Dialect("Vicuna's form", _is_vicuna, lambda text, _: _turns("Vicuna's form", _cut(text, _VICUNA, _clean)), is_loose=True)

_GUANACO = re.compile(r"### (Human|Assistant|System|User|AI):[ \t]?")


def _is_guanaco(text: str) -> bool:
    return text.lstrip().startswith(("### Human:", "### System:", "### User:")) and "### Assistant:" in text


GUANACO = Dialect(
    "the ### Human: form", _is_guanaco, lambda text, _: _turns("the ### Human: form", _cut(text, _GUANACO, _clean)), is_loose=True
)

_SPEAKER = re.compile(r"(?:\A\s*|\n\n)(Human|Assistant): ?")
_LINE_SPEAKER = re.compile(r"(?:\A\s*|\n)(Human|User|Assistant|AI|System):[ \t]?")
_OPENED_BY = re.compile(r"\s*(?:Human|User|System):")
_ANSWERED = re.compile(r"\n(?:Assistant|AI):")


def _is_transcript(text: str) -> bool:
    return text.startswith("\n\nHuman: ") or (_OPENED_BY.match(text) is not None and _ANSWERED.search(text) is not None)


def _transcript(text: str, _: bool) -> Rendered:
    """Anthropic's preference data parts its speakers by blank lines and lets one speak twice; others are laid out in lines."""
    if not (text.startswith("\n\nHuman:") or (text.lstrip().startswith("Human:") and "\n\nAssistant:" in text)):
        return _turns("a transcript", _cut(text, _LINE_SPEAKER, _clean))
    turns = _cut(text, _SPEAKER, lambda said: said)[1]
    messages = [Message(_ROLES[label.lower()], said) for label, said in turns]
    if messages[-1] == Message("assistant", ""):
        messages.pop()
    return Rendered(tuple(messages))


TRANSCRIPT = Dialect("a transcript", _is_transcript, _transcript, is_loose=True)

_SECTION = re.compile(
    r"(?:\A\s*|(?<=\n))#{2,3} ?(Instruction|Input|Response|Output|System|User|Assistant|Context)s?(?::[ \t]*\n?|[ \t]*(?:\n|\Z))"
)
_ASKED = {"instruction", "user"}
_ANSWERS = {"response", "output", "assistant"}


def _is_alpaca(text: str) -> bool:
    begins = text.lstrip().startswith(("Below is an instruction", "### Instruction", "## Instruction", "### System", "### User"))
    return begins and len(_SECTION.findall(text)) >= 2


def _alpaca(text: str, _: bool) -> Rendered:
    name = "Alpaca's form"
    before, sections = _cut(text, _SECTION, _clean)
    system = "" if " ".join(before.split()) in _PREAMBLES else before.strip()
    messages = [Message("system", system)] if system else []
    last = ""
    for label, content in sections:
        kind = label.lower()
        if kind in _ANSWERS:
            if messages and messages[-1].role == "user":
                messages.append(spoken("assistant", content))
            else:
                raise broken(name, f'"### {label}:" stands without an instruction before it.')
        elif kind == "system":
            messages.append(Message("system", content))
        elif kind in _ASKED:
            if messages and messages[-1].role == "user":
                raise broken(name, f'"### {label}:" stands twice without a response between.')
            messages.append(Message("user", content))
        elif last in _ASKED:
            messages[-1] = user_turn(messages[-1].content, content)
        else:
            raise broken(name, f'"### {label}:" stands without an instruction before it.')
        last = kind
    if last not in _ANSWERS:
        raise broken(name, "there is no ### Response: behind the last instruction. It may be cut off.")
    if not messages[-1].content and not messages[-1].reasoning_content:
        messages.pop()
    return Rendered(tuple(messages))


ALPACA_PROMPT = Dialect("Alpaca's form", _is_alpaca, _alpaca, is_loose=True)
