"""Example: a record as the tokens a run trains on. The tokens shown to a reviewer are these and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jinja2.exceptions import TemplateError

from pipelines.records import ROLES, Message, Record
from pipelines.tokens.template import ChatFormat

IGNORED = -100
"""The label of a token that is read but not learned."""
BATCH = 512
"""Rows tokenised at a time."""

NO_ANSWER = "no answer to train on"
EMPTY_ANSWERS = "every answer is empty"
NONE_LEARNED = "every answer is marked as not to be learned"
UNWANTED = "the answer is marked as not wanted"
NO_LABEL = "the answer is not marked as wanted or not"
TOOLS_LOST = "the model's chat template leaves tool calls out"
TURNS_REWRITTEN = "the model's chat template rewrites earlier turns, so the answers cannot be found"
ANSWER_CHANGED = "the model's chat template does not write the answer as it stands"
BAD_TOOLS = "tools or tool calls are not valid JSON"
NOTHING_TRAINED = "no token of an answer is left to train on"


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One row, tokenised."""

    row: str
    text: str
    """What the chat template made of the turns."""
    input_ids: npt.NDArray[np.int32]
    labels: npt.NDArray[np.int32]
    """input_ids where the token is trained, IGNORED elsewhere."""
    control_tokens: int = 0
    """Special tokens somebody typed into a turn. They act as real ones: a typed turn end ends the turn."""
    empty_turns: int = 0
    """Assistant turns without text and calls; left untrained. Turns of weight 0 are left untrained too, and not counted here."""
    open_turns: int = 0
    """Trained answers not followed by a turn end, after which the model does not learn to stop."""

    @property
    def tokens(self) -> int:
        """Length in tokens."""
        return len(self.input_ids)

    @property
    def trained_tokens(self) -> int:
        """How many tokens are trained. The first token of a row never is: nothing comes before it."""
        return int((self.labels[1:] != IGNORED).sum())


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that cannot be trained."""

    row: str
    reason: str


@dataclass(frozen=True, slots=True)
class Span:
    """Where an answer stands in the rendered text: characters start to end, the turn end included."""

    start: int
    end: int
    is_closed: bool
    """Whether a turn end is inside."""


@dataclass(frozen=True, slots=True)
class _Rendered:
    row: str
    text: str
    spans: tuple[Span, ...]
    control_tokens: int
    empty_turns: int


class _Refusal(Exception):
    """Carries the reason out of the rendering."""


def tokenise(records: Iterable[tuple[str, Record]], chat: ChatFormat) -> Iterator[Example | Refused]:
    """For each (row id, record), in order: its tokens, or why there are none. Holds only BATCH rows at a time."""
    waiting: list[_Rendered | Refused] = []
    for row, record in records:
        try:
            waiting.append(_rendered(row, record, chat))
        except _Refusal as refusal:
            waiting.append(Refused(row, str(refusal)))
        if len(waiting) == BATCH:
            yield from _encoded(waiting, chat)
            waiting = []
    yield from _encoded(waiting, chat)


def tokenise_record(record: Record, chat: ChatFormat) -> Example | Refused:
    """The tokens of one record, for an inspector."""
    return next(tokenise([(record.id, record)], chat))


def token_texts(example: Example, chat: ChatFormat) -> list[tuple[str, bool]]:
    """Each token's text and whether it is trained. Joined, the texts are `example.text` as far as the tokens reach.

    A character made of several tokens stands with the first of them; the others are empty.
    """
    offsets = chat.tokenizer(example.text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    shown, at = [], 0
    for index, (_, end) in enumerate(offsets[: example.tokens]):
        shown.append((example.text[at : max(at, end)], index > 0 and bool(example.labels[index] != IGNORED)))
        at = max(at, end)
    return shown


def _rendered(row: str, record: Record, chat: ChatFormat) -> _Rendered:
    turns = record.conversation
    _refuse_untrainable(record, turns, chat)

    def render(part: Sequence[Message], add_generation_prompt: bool = False) -> str:
        return chat.render(part, record.tools, add_generation_prompt=add_generation_prompt)

    try:
        text = render(turns)
        filled = _filled_answers(turns)
        spans = tuple(_answer_span(i, turns, text, render, chat) for i in filled if turns[i].weight != 0)
    except ValueError as error:
        raise _Refusal(BAD_TOOLS) from error
    except (TemplateError, TypeError) as error:
        raise _Refusal(f"the model's chat template refuses it: {error}") from error
    typed = sum(len(chat.control_pattern.findall("\n".join(_texts(turn)))) for turn in turns)
    typed += len(chat.control_pattern.findall(record.tools or ""))
    answers = sum(turn.role == "assistant" for turn in turns)
    return _Rendered(row, text, spans, typed, answers - len(filled))


def _refuse_untrainable(record: Record, turns: Sequence[Message], chat: ChatFormat) -> None:
    if record.kind == "unpaired" and not record.label:
        raise _Refusal(NO_LABEL if record.label is None else UNWANTED)
    unknown = sorted({turn.role for turn in turns} - set(ROLES))
    if unknown:
        raise _Refusal(f'role "{unknown[0]}" is not one of {", ".join(ROLES)}')
    if not any(turn.role == "assistant" for turn in turns):
        raise _Refusal(NO_ANSWER)
    filled = _filled_answers(turns)
    if not filled:
        raise _Refusal(EMPTY_ANSWERS)
    if all(turns[i].weight == 0 for i in filled):
        raise _Refusal(NONE_LEARNED)
    if not chat.calls_tools and (record.tools or any(turn.tool_calls or turn.role == "tool" for turn in turns)):
        raise _Refusal(TOOLS_LOST)


def _filled_answers(turns: Sequence[Message]) -> list[int]:
    return [i for i, turn in enumerate(turns) if turn.role == "assistant" and (turn.content.strip() or turn.tool_calls)]


def _texts(turn: Message) -> tuple[str, ...]:
    """Everything of a turn that a template may write."""
    return (turn.content, turn.tool_calls or "", turn.reasoning_content or "")


Render = Callable[..., str]


def _answer_span(index: int, turns: Sequence[Message], text: str, render: Render, chat: ChatFormat) -> Span:
    """Where the answer of turn `index` stands in `text`, the rendering of all turns."""
    span = _span_by_prefix(index, turns, text, render, chat) or _span_by_swap(index, turns, text, render, chat)
    if span is None:
        raise _Refusal(TURNS_REWRITTEN)
    # Templates of vision models render plain text as nothing. What comes before a thought's end may be laid out anew.
    if turns[index].content.rpartition("</think>")[2].strip() not in text[span.start : span.end]:
        raise _Refusal(ANSWER_CHANGED)
    return span


def _span_by_prefix(index: int, turns: Sequence[Message], text: str, render: Render, chat: ChatFormat) -> Span | None:
    """The text between "the model may answer now" and the end of the turn. None when the template is not a plain prefix."""
    if index == 0:
        return None  # templates do not render an empty conversation
    before = render(turns[:index], add_generation_prompt=True)
    after = text if index == len(turns) - 1 else render(turns[: index + 1])
    if not (after.startswith(before) and text.startswith(after)):
        return None
    filled = after.rstrip()
    ends = [match.end() for match in chat.control_pattern.finditer(after, len(before))]
    is_closed = bool(ends) and ends[-1] == len(filled)
    # The newline after the turn end is the template's, not the model's: generation has stopped by then.
    return Span(len(before), len(filled) if is_closed else len(after), is_closed)


def _span_by_swap(index: int, turns: Sequence[Message], text: str, render: Render, chat: ChatFormat) -> Span | None:
    """Two stand-ins for the content show what surrounds it. None for turns with calls, whose text is not their content.

    For templates that render a turn differently once others follow (Qwen3 drops earlier thoughts), and for a leading assistant turn.
    """
    if turns[index].tool_calls or not turns[index].content.strip():
        return None
    around = [
        _around(render([*turns[:index], Message("assistant", mark), *turns[index + 1 :]]), mark)
        for mark in ("winnowstandina", "winnowstandinb")
    ]
    if around[0] is None or around[0] != around[1]:
        return None
    head, tail = around[0]
    if not (text.startswith(head) and text.endswith(tail) and len(head) + len(tail) < len(text)):
        return None
    turn_end = chat.control_pattern.match(tail, len(tail) - len(tail.lstrip()))
    end = len(text) - len(tail)
    return Span(len(head), end + turn_end.end() if turn_end else end, turn_end is not None)


def _around(text: str, mark: str) -> tuple[str, str] | None:
    parts = text.split(mark)
    return (parts[0], parts[1]) if len(parts) == 2 else None


def _encoded(rendered: Sequence[_Rendered | Refused], chat: ChatFormat) -> Iterator[Example | Refused]:
    texts = [each.text for each in rendered if isinstance(each, _Rendered)]
    if not texts:
        yield from (each for each in rendered if isinstance(each, Refused))
        return
    # The template has written the start token where the model wants one: adding special tokens would double it.
    encoded = chat.tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True, return_attention_mask=False)
    pairs = iter(zip(encoded["input_ids"], encoded["offset_mapping"], strict=True))
    for each in rendered:
        if isinstance(each, Refused):
            yield each
            continue
        ids, offsets = next(pairs)
        yield _example(each, np.asarray(ids, np.int32), np.asarray(offsets, np.int64).reshape(-1, 2))


def _example(rendered: _Rendered, input_ids: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64]) -> Example | Refused:
    trained = np.zeros(len(input_ids), bool)
    for span in rendered.spans:
        # A token that begins before the answer is part of the prompt when the model is used, so it is not trained.
        trained |= (offsets[:, 0] >= span.start) & (offsets[:, 0] < span.end) & (offsets[:, 1] > offsets[:, 0])
    example = Example(
        row=rendered.row,
        text=rendered.text,
        input_ids=input_ids,
        labels=np.where(trained, input_ids, IGNORED).astype(np.int32),
        control_tokens=rendered.control_tokens,
        empty_turns=rendered.empty_turns,
        open_turns=sum(not span.is_closed for span in rendered.spans),
    )
    return example if example.trained_tokens else Refused(rendered.row, NOTHING_TRAINED)
