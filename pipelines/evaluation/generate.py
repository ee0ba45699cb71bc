"""Generation: greedy answers to many prompts, and how likely the expected answers are, in one pass over each prompt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.evaluation.decoding import Question, Rows, is_joinable, prompt_table, read_prefix, read_prompts, write_token
from pipelines.evaluation.language_model import LanguageModel

if TYPE_CHECKING:
    import torch

CPU_ROWS, GPU_ROWS = 24, 64
"""Prompts answered together. On two CPU cores a token costs 62 ms alone, 14 in a batch of 8, 8.6 in one of 16 and 7.5 in one of 32
(CPU time, SmolLM2-135M)."""
FREE_SHARE = 0.25
"""New prompts are read when this share of the rows has ended: reading few at a time is slow, and so is writing with few rows."""
CPU_TOKENS, GPU_TOKENS = 16_384, 65_536
"""The most tokens of prompts and answers together: bounds the memory of the key-value cache."""
LIMIT_FACTOR, LIMIT_QUANTILE, LEAST_LIMIT, GREATEST_LIMIT = 1.5, 0.98, 16, 512

Tick = Callable[[float], None]
"""tick(rows): called with each token; `rows` is how many prompts are done, with a fraction for those in progress. May raise to stop."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model wrote."""

    tokens: tuple[int, ...]
    """Without the end of the turn."""
    stopped: bool
    """Whether it ended the turn by itself."""
    loss: float
    """Mean negative log-likelihood of the expected tokens, in nats."""


def answer_limit(expected_tokens: Sequence[int]) -> int:
    """The most new tokens an answer may have: 1.5 times the 98th percentile of the expected lengths, from 16 to 512, in steps of 8."""
    ordered = sorted(expected_tokens)
    high = ordered[min(len(ordered) - 1, int(LIMIT_QUANTILE * len(ordered)))] if ordered else 0
    return min(GREATEST_LIMIT, max(LEAST_LIMIT, -(-int(high * LIMIT_FACTOR) // 8) * 8))


def generate(
    model: LanguageModel, questions: Sequence[Question], *, limit: int, tick: Tick = lambda _: None
) -> Iterator[tuple[int, Reply]]:
    """(number of the question, its reply), as they end. A reply does not depend on the other questions, up to rounding."""
    work = _together if is_joinable(model) else _batch_by_batch
    waiting = sorted(range(len(questions)), key=lambda n: (len(questions[n].prompt), -n))  # taken from the end: the longest first
    yield from work(model, questions, waiting, limit, tick)


def rows_at_once(model: LanguageModel, tokens: int) -> int:
    """How many prompts are answered together when the longest has, with its answer, that many tokens."""
    is_on_card = model.device.type == "cuda"
    most, budget = (GPU_ROWS, GPU_TOKENS) if is_on_card else (CPU_ROWS, CPU_TOKENS)
    return max(1, min(most, budget // tokens))


def _together(
    model: LanguageModel, questions: Sequence[Question], waiting: list[int], limit: int, tick: Tick
) -> Iterator[tuple[int, Reply]]:
    """A row that has ended makes room for a waiting one."""
    import torch

    prefix = read_prefix(model, questions)
    most = rows_at_once(model, _longest(questions, limit))
    rows: Rows | None = None
    done = 0
    while waiting or rows:
        try:
            free = most - (len(rows.numbers) if rows else 0)
            if waiting and free >= max(1, most * FREE_SHARE):
                fresh = read_prompts(model, [questions[n] for n in waiting[-free:]], waiting[-free:], prefix)
                rows = rows.joined(fresh) if rows else fresh
                del waiting[-free:]
            assert rows is not None
            ended = _ended(model, rows, limit)
            yield from ended
            done += len(ended)
            rows = rows.without([number for number, _ in ended])
            if rows:
                write_token(model, rows)
            tick(done + (sum(map(len, rows.written)) / limit if rows else 0))
        except torch.OutOfMemoryError as error:
            most = _half(most, error)
            waiting += rows.numbers if rows else []
            rows = None


def _ended(model: LanguageModel, rows: Rows, limit: int) -> list[tuple[int, Reply]]:
    """The replies of the rows whose next token is the end of the turn or the last one allowed."""
    ended = []
    for number, written, token, loss in zip(rows.numbers, rows.written, rows.next_tokens.tolist(), rows.losses, strict=True):
        if token in model.stop_ids:
            ended.append((number, Reply(tuple(written), True, loss)))
        elif len(written) + 1 == limit:
            ended.append((number, Reply((*written, token), False, loss)))
    return ended


def _batch_by_batch(
    model: LanguageModel, questions: Sequence[Question], waiting: list[int], limit: int, tick: Tick
) -> Iterator[tuple[int, Reply]]:
    """For models whose cache cannot be cut and joined: each batch to its end, the prompts read once for the loss and once to write."""
    import torch

    most = rows_at_once(model, _longest(questions, limit))
    done = 0
    while waiting:
        taken = waiting[-most:]
        part = [questions[n] for n in taken]
        try:
            losses = read_prompts(model, part, taken).losses
            written = _write(model, part, limit, _part_of(tick, done, len(part)))
        except torch.OutOfMemoryError as error:
            most = _half(most, error)
            continue
        del waiting[-most:]
        yield from ((n, Reply(tokens, stopped, loss)) for n, (tokens, stopped), loss in zip(taken, written, losses, strict=True))
        done += len(taken)
        tick(done)


def _write(model: LanguageModel, questions: Sequence[Question], limit: int, tick: Tick) -> list[tuple[tuple[int, ...], bool]]:
    """Each row's new tokens up to its end of turn, and whether there was one, as transformers writes them."""
    import torch
    from transformers import StoppingCriteriaList

    ids, mask = (table.to(model.device) for table in prompt_table(model, questions))

    def count(tokens: torch.Tensor, _scores: Any, **_: Any) -> torch.Tensor:
        tick((tokens.shape[1] - ids.shape[1]) / limit)
        return torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)

    write: Any = model.model.generate
    with torch.inference_mode():
        sequences = write(input_ids=ids, attention_mask=mask, max_new_tokens=limit, stopping_criteria=StoppingCriteriaList([count]))
    rows = sequences[:, ids.shape[1] :].tolist()
    ends = [next((i for i, token in enumerate(row) if token in model.stop_ids), None) for row in rows]
    return [(tuple(row[:end]), end is not None) for row, end in zip(rows, ends, strict=True)]


def _longest(questions: Sequence[Question], limit: int) -> int:
    return max((len(q.prompt) + max(limit, len(q.expected)) for q in questions), default=1)


def _part_of(tick: Tick, done: int, rows: int) -> Tick:
    return lambda share: tick(done + rows * share)


def _half(most: int, error: Exception) -> int:
    """Half as many rows, because the card's memory held no more. Raises the error when that was one row."""
    import torch

    if most == 1:
        raise error
    torch.cuda.empty_cache()
    return most // 2
