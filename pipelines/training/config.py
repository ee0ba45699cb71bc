"""RunConfig: the settings of one training run, and the ones that suit a data set and a device."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.errors import WorkbenchError
from pipelines.models import BASE_MODEL
from pipelines.training.ledger import FEW_STEPS, OverLength

Method = Literal["lora", "qlora"]
Scheduler = Literal["cosine", "linear", "constant_with_warmup"]
CHOICES = {
    "method": ("lora", "qlora"),
    "over_length": ("drop", "truncate"),
    "scheduler": ("cosine", "linear", "constant_with_warmup"),
    "device": ("auto", "cpu", "cuda"),
    "precision": ("auto", "float32", "bfloat16"),
}
"""The values a closed field can take."""
POSITIVE = (
    *("steps", "epochs", "batch_size", "gradient_accumulation", "learning_rate", "lora_r", "lora_alpha"),
    *("max_length", "eval_every", "eval_rows", "save_every"),
)
"""Fields that are more than 0 where they are given."""
LARGEST_SEED = 2**32 - 1
"""NumPy takes no larger one."""
CPU_STEPS = 60
"""Steps a run on a CPU gets by default: about five minutes on two cores with the shipped model."""


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Settings of a run. Together with the snapshot and the base model they say all that is needed to repeat it."""

    snapshot: str
    """Id of the snapshot whose train split is learned and whose validation split is watched."""
    base: str = BASE_MODEL
    """Short name of the shipped model, a folder, or a hub id."""
    method: Method = "lora"
    """qlora keeps the base model in 4 bits: less memory on a card, not possible on a CPU."""
    steps: int | None = None
    """Optimiser steps; None when `epochs` says how long."""
    epochs: float | None = None
    """Times through the rows; None when `steps` says how long."""
    batch_size: int = 4
    """Rows that go through the model together."""
    gradient_accumulation: int = 2
    """Batches per optimiser step: a step learns from batch_size * gradient_accumulation rows (times the number of cards)."""
    learning_rate: float = 2e-4
    lora_r: int = 16
    """Rank of the adapter's matrices."""
    lora_alpha: int = 32
    """The adapter counts lora_alpha / lora_r times."""
    lora_dropout: float = 0.05
    max_length: int = 1024
    """Longest row in tokens."""
    over_length: OverLength = "drop"
    """What happens to longer rows. A cut row teaches the model not to stop, so they are dropped unless asked otherwise."""
    warmup: float = 0.05
    """Share of the steps in which the learning rate rises."""
    scheduler: Scheduler = "cosine"
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    seed: int = 0
    eval_every: int | None = None
    """Steps between two looks at the validation split; None for four in the run."""
    eval_rows: int | None = None
    """How many validation rows are looked at; None for all."""
    save_every: int | None = None
    """Steps between two checkpoints; None for the same as `eval_every`."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    activation_checkpointing: bool = False
    """Computes activations twice instead of keeping them: much less memory, a third more time."""

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise WorkbenchError(f"{name} cannot be {getattr(self, name)!r}. Choose one of {', '.join(choices)}.")
        if (self.steps is None) == (self.epochs is None):
            raise WorkbenchError("Say how long the run is: either steps or epochs, not both.")
        for name in POSITIVE:
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise WorkbenchError(f"{name} must be a number above 0, not {value}.")
        for name in ("weight_decay", "max_grad_norm"):
            if not 0 <= getattr(self, name) < math.inf:
                raise WorkbenchError(f"{name} must be 0 or a number above it, not {getattr(self, name)}.")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise WorkbenchError(f"seed must be a whole number from 0 to {LARGEST_SEED:,}, not {self.seed}.")
        if not 0 <= self.warmup < 1 or not 0 <= self.lora_dropout < 1:
            raise WorkbenchError("warmup and lora_dropout are shares: at least 0 and below 1.")

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> RunConfig:
        """The config of a JSON object. A key it does not know is an error, never silently ignored."""
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := sorted(set(stored) - known):
            raise WorkbenchError(f"A run has no setting called {', '.join(unknown)}. The settings are: {', '.join(sorted(known))}.")
        return cls(**stored)

    def to_json(self) -> dict[str, Any]:
        """The settings as a JSON object."""
        return dataclasses.asdict(self)

    @property
    def rows_per_step(self) -> int:
        """Rows an optimiser step learns from, on one device."""
        return self.batch_size * self.gradient_accumulation

    def total_steps(self, rows: int, processes: int = 1) -> int:
        """Optimiser steps of the run over so many training rows."""
        if self.steps is not None:
            return self.steps
        assert self.epochs is not None
        return max(1, math.ceil(self.epochs * steps_per_epoch(rows, self, processes)))

    def eval_interval(self, total_steps: int) -> int:
        """Steps between two evaluations."""
        return self.eval_every or max(1, math.ceil(total_steps / 4))

    def save_interval(self, total_steps: int) -> int:
        """Steps between two checkpoints."""
        return self.save_every or self.eval_interval(total_steps)


def steps_per_epoch(rows: int, config: RunConfig, processes: int = 1) -> int:
    """Optimiser steps in one time through the rows: the way Trainer counts them."""
    batches = math.ceil(rows / (config.batch_size * processes))
    return max(1, math.ceil(batches / config.gradient_accumulation))


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Settings for a data set and a device, with the reason for each choice."""

    config: RunConfig
    reasons: tuple[str, ...]


def default_config(snapshot: str, n_rows: int, device: Literal["cpu", "cuda"] = "cpu", *, base: str = BASE_MODEL) -> Suggestion:
    """Settings that suit so many training rows on such a device."""
    suggest = _for_card if device == "cuda" else _for_cpu
    chosen, reasons = suggest(n_rows)
    return Suggestion(RunConfig(snapshot=snapshot, base=base, **chosen), tuple(reasons))


def _for_cpu(n_rows: int) -> tuple[dict[str, Any], list[str]]:
    three_epochs = math.ceil(3 * n_rows / 8)
    steps = max(FEW_STEPS, min(CPU_STEPS, three_epochs))
    epochs = steps * 8 / max(n_rows, 1)
    why = "enough to see the rows three times" if steps == three_epochs else f"a CPU's few minutes, {epochs:.1f} times through the rows"
    return {
        "steps": steps,
        "batch_size": 4,
        "gradient_accumulation": 2,
        "learning_rate": 5e-4,
        "lora_dropout": 0.0,
        "eval_rows": 32,
    }, [
        f"{steps} steps of 8 rows: {why}.",
        "4 rows at a time, 2 times per step: as fast as 8 at a time on a CPU, with little more than half the memory.",
        "Learning rate 0.0005: a short run of a small model learns more with it than with the usual 0.0002.",
        "No dropout: it costs a tenth of the time on a CPU and matters only when rows are seen many times.",
        "32 validation rows are looked at, so that looking does not cost more than learning.",
    ]


def _for_card(n_rows: int) -> tuple[dict[str, Any], list[str]]:
    epochs = 3.0 if n_rows <= 5_000 else 2.0 if n_rows <= 20_000 else 1.0
    return {"epochs": epochs, "batch_size": 8, "gradient_accumulation": 2, "activation_checkpointing": True}, [
        f"{epochs:.0f} times through {n_rows} rows: small sets need repetition, large ones do not.",
        "16 rows a step, 8 at a time.",
        "Learning rate 0.0002: the usual one for adapters, ten times that of full training.",
        "Activations are computed twice instead of kept, so that longer rows and larger models fit on the card.",
    ]
