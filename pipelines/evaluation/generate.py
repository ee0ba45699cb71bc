"""Generation: greedy answers to many prompts, and how likely the expected answers are, in one pass over each prompt."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.evaluation.language_model import LanguageModel

if TYPE_CHECKING:
    import torch

CPU_ROWS, GPU_ROWS = 16, 64
"""Prompts answered together. On two CPU cores a token costs 62 ms alone, 14 in a batch of 8, 8.6 in one of 16 and 7.5 in one of 32
(CPU time, SmolLM2-135M), and a larger batch waits longer for its slowest answer."""
BATCH_TOKENS = {"cpu": 16_384, "cuda": 65_536}
"""The most tokens of prompts and answers in one batch: bounds the memory of the key-value cache."""
LOGIT_BYTES = 256 * 1024**2
"""Memory for the logits over an expected answer; a longer answer is read in several steps."""
LEAST_PREFIX = 8
"""Shared first tokens (a system prompt) from which it pays to read them once for all prompts."""
LIMIT_FACTOR, LIMIT_QUANTILE, LEAST_LIMIT, GREATEST_LIMIT = 1.5, 0.98, 16, 512

Tick = Callable[[float], None]
"""tick(rows): called with each token; `rows` is how many prompts are done, with a fraction for those in progress. May raise to stop."""


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt and the answer hoped for, as tokens."""

    prompt: tuple[int, ...]
    """With what opens the assistant's turn."""
    expected: tuple[int, ...]
    """With the end of the turn."""


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
    """(index of the question, its reply), batch by batch, not in order. A reply does not depend on the others, up to rounding."""
    prefix = _read_prefix(model, questions)
    rows = GPU_ROWS if model.device.type == "cuda" else CPU_ROWS
    done = 0
    for batch in plan_batches(questions, limit=limit, rows=rows, tokens=BATCH_TOKENS.get(model.device.type, BATCH_TOKENS["cpu"])):
        for part, replies in _answer_in_parts(model, [questions[i] for i in batch], prefix, limit, _shifted(tick, done)):
            yield from ((batch[i], reply) for i, reply in zip(part, replies, strict=True))
        done += len(batch)
        tick(done)


def _shifted(tick: Tick, done: int) -> Tick:
    return lambda rows: tick(done + rows)


def plan_batches(questions: Sequence[Question], *, limit: int, rows: int, tokens: int) -> list[list[int]]:
    """Indices in batches of at most `rows` prompts and `tokens` tokens, each of prompts (and, coarsely, of answers) of like length."""
    by_answer = sorted(range(len(questions)), key=lambda i: (-len(questions[i].expected), i))
    groups = [by_answer[i : i + 4 * rows] for i in range(0, len(by_answer), 4 * rows)]
    order = [i for group in groups for i in sorted(group, key=lambda i: (-len(questions[i].prompt), i))]
    batches: list[list[int]] = []
    widest = 0
    for i in order:
        widest = max(widest, len(questions[i].prompt) + max(limit, len(questions[i].expected)))
        if batches and len(batches[-1]) < rows and widest * (len(batches[-1]) + 1) <= tokens:
            batches[-1].append(i)
        else:
            batches.append([i])
            widest = len(questions[i].prompt) + max(limit, len(questions[i].expected))
    return batches


def _answer_in_parts(
    model: LanguageModel, questions: list[Question], prefix: _Prefix | None, limit: int, tick: Tick
) -> Iterator[tuple[list[int], list[Reply]]]:
    """The batch at once, or in halves where the GPU's memory does not hold it."""
    import torch

    waiting = [list(range(len(questions)))]
    while waiting:
        part = waiting.pop()
        try:
            replies = _answer_batch(model, [questions[i] for i in part], prefix, limit, tick)
        except torch.OutOfMemoryError:
            if len(part) == 1:
                raise
            torch.cuda.empty_cache()
            waiting += [part[len(part) // 2 :], part[: len(part) // 2]]
            continue
        yield part, replies


@dataclass(frozen=True, slots=True)
class _Prefix:
    """The keys and values of tokens that all prompts start with."""

    length: int
    layers: list[tuple[torch.Tensor, torch.Tensor]]


def _read_prefix(model: LanguageModel, questions: Sequence[Question]) -> _Prefix | None:
    """What all prompts share, read once; None when it is short or the model's cache cannot be continued from the middle."""
    import torch

    if len(questions) < 2:
        return None
    # The first and the last in order share what all share; a prompt's last token is left to be read with the rest.
    first, last = min(q.prompt for q in questions), max(q.prompt for q in questions)
    shortest = min(len(q.prompt) for q in questions)
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), shortest)
    length = min(length, shortest - 1)
    if length < LEAST_PREFIX:
        return None
    cache = _new_cache(model)
    with torch.inference_mode():
        _forward(model, torch.tensor([first[:length]]), torch.ones(1, length, dtype=torch.long), cache)
    return _Prefix(length, [(layer.keys, layer.values) for layer in cache.layers]) if _is_plain(cache) else None


def _is_plain(cache: Any) -> bool:
    """Whether the cache holds the keys and values of all tokens and nothing else, so that it can be shared, cut and gone on from."""
    from transformers.cache_utils import DynamicLayer

    return all(type(layer) is DynamicLayer for layer in cache.layers)


def _new_cache(model: LanguageModel, prefix: _Prefix | None = None, rows: int = 1) -> Any:
    from transformers import DynamicCache

    cache = DynamicCache(config=model.model.config.get_text_config(decoder=True))
    for number, (keys, values) in enumerate(prefix.layers if prefix else ()):
        cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), number)
    return cache


def _forward(model: LanguageModel, ids: torch.Tensor, mask: torch.Tensor, cache: Any, *, keep: int = 1) -> torch.Tensor:
    """The logits of the last `keep` of the new tokens `ids`; `mask` covers them and all before."""
    positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
    kept = {"logits_to_keep": keep} if "logits_to_keep" in inspect.signature(model.model.forward).parameters else {}
    device = model.device
    output = model.model(
        input_ids=ids.to(device), attention_mask=mask.to(device), position_ids=positions.to(device),
        past_key_values=cache, use_cache=True, **kept,
    )  # fmt: skip
    return output.logits[:, -keep:].float()


def _answer_batch(model: LanguageModel, questions: list[Question], prefix: _Prefix | None, limit: int, tick: Tick) -> list[Reply]:
    import torch

    start = prefix.length if prefix else 0
    width = max(len(q.prompt) for q in questions)
    # The shared tokens come first, then the padding: the cache of the shared tokens fits every row, and the mask hides the gap.
    padding = [width - len(q.prompt) for q in questions]
    ids = torch.tensor([[*q.prompt[:start], *[model.pad_id] * gap, *q.prompt[start:]] for q, gap in zip(questions, padding, strict=True)])
    mask = torch.tensor([[1] * start + [0] * gap + [1] * (width - start - gap) for gap in padding])
    with torch.inference_mode():
        cache = _new_cache(model, prefix, len(questions))
        losses, read = _losses(model, questions, ids[:, start:], mask, cache)
        if _is_plain(cache):
            cache.crop(-(read + 1))  # generate() reads the last token of the prompt itself
        else:
            cache = None
        written = _write(model, ids, mask, cache, limit, tick)
    return [Reply(tokens, stopped, loss) for (tokens, stopped), loss in zip(written, losses, strict=True)]


def _losses(model: LanguageModel, questions: list[Question], ids: torch.Tensor, mask: torch.Tensor, cache: Any) -> tuple[list[float], int]:
    """The mean loss of each expected answer, and how many of its tokens the cache now holds beyond the prompts."""
    import torch
    from torch.nn.functional import cross_entropy

    rows, longest = len(questions), max(len(q.expected) for q in questions)
    wanted = torch.tensor([[*q.expected, *[model.pad_id] * (longest - len(q.expected))] for q in questions])
    real = torch.tensor([[1] * len(q.expected) + [0] * (longest - len(q.expected)) for q in questions])
    logits = _forward(model, ids, mask, cache)
    step = max(1, LOGIT_BYTES // (4 * rows * logits.shape[-1]))
    totals = torch.zeros(rows)
    known = 0
    while True:
        target = wanted[:, known : known + logits.shape[1]].to(logits.device)
        token_losses = cross_entropy(logits.transpose(1, 2), target, reduction="none").cpu()
        totals += (token_losses * real[:, known : known + logits.shape[1]]).sum(1)
        known += logits.shape[1]
        if known >= longest:
            return (totals / real.sum(1)).tolist(), known - 1
        new = wanted[:, known - 1 : min(known - 1 + step, longest - 1)]
        seen = torch.cat([mask, real[:, : known - 1 + new.shape[1]]], dim=1)
        logits = _forward(model, new, seen, cache, keep=new.shape[1])


def _write(
    model: LanguageModel, ids: torch.Tensor, mask: torch.Tensor, cache: Any, limit: int, tick: Tick
) -> list[tuple[tuple[int, ...], bool]]:
    """Each row's new tokens up to its end of turn, and whether there was one."""
    import torch
    from transformers import StoppingCriteriaList

    written = 0

    def count(tokens: torch.Tensor, _scores: Any, **_: Any) -> torch.Tensor:
        nonlocal written
        written += 1
        tick(len(ids) * written / (limit + 1))
        return torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)

    generate_tokens: Any = model.model.generate
    sequences = generate_tokens(
        input_ids=ids.to(model.device), attention_mask=mask.to(model.device), past_key_values=cache,
        max_new_tokens=limit, do_sample=False, stopping_criteria=StoppingCriteriaList([count]),
    )  # fmt: skip
    rows = sequences[:, ids.shape[1] :].tolist()
    ends = [next((i for i, token in enumerate(row) if token in model.stop_ids), None) for row in rows]
    return [(tuple(row[:end]), end is not None) for row, end in zip(rows, ends, strict=True)]
