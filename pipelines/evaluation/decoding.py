"""Decoding: many prompts answered together. A row that has ended leaves, and a new one takes its place."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.evaluation.language_model import LanguageModel

if TYPE_CHECKING:
    import torch

LOGIT_BYTES = 256 * 1024**2
"""Memory for the logits over an expected answer; a longer answer is read in several steps."""
LEAST_PREFIX = 8
"""Shared first tokens (a system prompt) from which it pays to read them once for all prompts."""


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt and the answer hoped for, as tokens."""

    prompt: tuple[int, ...]
    """With what opens the assistant's turn."""
    expected: tuple[int, ...]
    """With the end of the turn."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """The keys and values of tokens that all prompts start with."""

    length: int
    layers: list[tuple[int, torch.Tensor, torch.Tensor]]
    """Number of the layer, keys, values."""


@dataclass(slots=True)
class Rows:
    """Answers in progress, row by row: what was read and written so far, in `cache`, and the token that comes next."""

    numbers: list[int]
    """Which question each row answers."""
    cache: Any
    """A DynamicCache."""
    mask: torch.Tensor
    """1 for a token, 0 for padding, one column per token of the cache. Padding can stand anywhere."""
    next_tokens: torch.Tensor
    written: list[list[int]]
    losses: list[float]

    def without(self, ended: Sequence[int]) -> Rows | None:
        """The rows of all questions but these; None when that is none. Uses this object up."""
        import torch

        if not ended:
            return self
        chosen = [i for i, number in enumerate(self.numbers) if number not in ended]
        if not chosen:
            return None
        here = torch.tensor(chosen)
        there = here.to(self.next_tokens.device)
        self.cache.batch_select_indices(there)
        kept: tuple[Any, ...] = tuple([values[i] for i in chosen] for values in (self.numbers, self.written, self.losses))
        numbers, written, losses = kept
        return Rows(numbers, self.cache, self.mask[here], self.next_tokens[there], written, losses)

    def joined(self, others: Rows) -> Rows:
        """These rows and others. The shorter cache is filled up on its left. Uses both objects up."""
        import torch

        for rows in (self, others):
            rows._drop_padding()
        width = max(self.mask.shape[1], others.mask.shape[1])
        for rows in (self, others):
            rows._widen(width)
        for mine, theirs in zip(_filled(self.cache), _filled(others.cache), strict=True):
            mine.keys, mine.values = torch.cat([mine.keys, theirs.keys]), torch.cat([mine.values, theirs.values])
        return Rows(
            self.numbers + others.numbers,
            self.cache,
            torch.cat([self.mask, others.mask]),
            torch.cat([self.next_tokens, others.next_tokens]),
            self.written + others.written,
            self.losses + others.losses,
        )

    def _drop_padding(self) -> None:
        used = self.mask.any(0)
        if bool(used.all()):
            return
        columns = used.nonzero().flatten()
        self.mask = self.mask[:, columns]
        for layer in _filled(self.cache):
            there = columns.to(layer.keys.device)
            layer.keys, layer.values = layer.keys.index_select(2, there), layer.values.index_select(2, there)

    def _widen(self, width: int) -> None:
        from torch.nn.functional import pad

        missing = width - self.mask.shape[1]
        if missing:
            self.mask = pad(self.mask, (missing, 0))
            for layer in _filled(self.cache):
                layer.keys, layer.values = pad(layer.keys, (0, 0, missing, 0)), pad(layer.values, (0, 0, missing, 0))


def read_prefix(model: LanguageModel, questions: Sequence[Question]) -> Prefix | None:
    """What all prompts share, read once; None when it is short."""
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
    return Prefix(length, [(n, layer.keys, layer.values) for n, layer in enumerate(cache.layers) if layer.is_initialized])


def read_prompts(model: LanguageModel, questions: Sequence[Question], numbers: list[int], prefix: Prefix | None = None) -> Rows:
    """Rows ready to write, their prompts read and the loss of their expected answers known.

    The cache of a model that is not `is_joinable` then holds the expected answers too and cannot be gone on with.
    """
    import torch

    ids, mask = prompt_table(model, questions, prefix)
    start = prefix.length if prefix else 0
    with torch.inference_mode():
        cache = _new_cache(model, prefix, len(questions))
        logits = _forward(model, ids[:, start:], mask, cache)
        losses, read = _losses(model, questions, logits, mask, cache)
        if is_joinable(model):
            cache.crop(-read)
    return Rows(numbers, cache, mask, logits[:, -1].argmax(-1), [[] for _ in numbers], losses)


def prompt_table(model: LanguageModel, questions: Sequence[Question], prefix: Prefix | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """The prompts as one table, and where it holds tokens. What all share stands first, then the padding, then the rest."""
    import torch

    start = prefix.length if prefix else 0
    width = max(len(q.prompt) for q in questions)
    gaps = [width - len(q.prompt) for q in questions]
    ids = [[*q.prompt[:start], *[model.pad_id] * gap, *q.prompt[start:]] for q, gap in zip(questions, gaps, strict=True)]
    mask = [[1] * start + [0] * gap + [1] * (width - start - gap) for gap in gaps]
    return torch.tensor(ids), torch.tensor(mask)


def write_token(model: LanguageModel, rows: Rows) -> None:
    """Writes the next token of every row and finds the one after."""
    import torch

    for row, token in zip(rows.written, rows.next_tokens.tolist(), strict=True):
        row.append(token)
    rows.mask = torch.cat([rows.mask, torch.ones(len(rows.numbers), 1, dtype=torch.long)], dim=1)
    with torch.inference_mode():
        rows.next_tokens = _forward(model, rows.next_tokens[:, None], rows.mask, rows.cache)[:, -1].argmax(-1)


def is_joinable(model: LanguageModel) -> bool:
    """Whether the model's cache holds the keys and values of all tokens and nothing else, so that it can be shared, cut and joined.

    Not so with sliding windows and recurrent layers.
    """
    from transformers.cache_utils import DynamicLayer

    return all(type(layer) is DynamicLayer for layer in _new_cache(model).layers)


def _filled(cache: Any) -> list[Any]:
    """The layers with keys and values of their own; some models share those of other layers."""
    return [layer for layer in cache.layers if layer.is_initialized]


def _new_cache(model: LanguageModel, prefix: Prefix | None = None, rows: int = 1) -> Any:
    from transformers import DynamicCache

    cache = DynamicCache(config=model.model.config)
    for number, keys, values in prefix.layers if prefix else ():
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


def _losses(
    model: LanguageModel, questions: Sequence[Question], logits: torch.Tensor, mask: torch.Tensor, cache: Any
) -> tuple[list[float], int]:
    """The mean loss of each expected answer, and how many of its tokens the cache now holds. `logits` follow the prompts."""
    import torch
    from torch.nn.functional import cross_entropy

    rows, longest = len(questions), max(len(q.expected) for q in questions)
    wanted = torch.tensor([[*q.expected, *[model.pad_id] * (longest - len(q.expected))] for q in questions])
    real = torch.tensor([[1] * len(q.expected) + [0] * (longest - len(q.expected)) for q in questions])
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
