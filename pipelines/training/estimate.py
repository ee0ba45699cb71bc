"""Estimate: how long a run will take and how much memory it will need, before it starts. Always a range, always with its basis."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipelines import models
from pipelines.training.batches import epoch_order, padded_tokens
from pipelines.training.config import RunConfig
from pipelines.training.device import Device
from pipelines.training.model_size import ModelSize

FORMULA = (
    "Operations per step = 2 x weights of the layers x padded tokens x (forward 1 + backward 1, + 1 when activations are computed twice) "
    "+ 6 x output weights x trained tokens + 6 x adapter weights x padded tokens; seconds = operations / speed of the device. "
    "Memory = weights + adapter (weight, gradient, two optimiser states) + activations of the longest batch."
)
CARD_SPEEDS = {"H200": 990, "H100": 990, "A100": 312, "L40": 181, "A10": 125, "L4": 121, "4090": 165, "3090": 71, "V100": 112, "T4": 65}
"""Tera-operations a second in half precision, without sparsity, from the makers' data sheets."""
UNKNOWN_CARD_SPEED = 60
CARD_SHARE = (0.08, 0.45)
"""Share of a card's data-sheet speed that adapter training reaches: small models and batches at the low end."""
CPU_SHARE = (0.35, 1.1)
"""Share of the speed of one large float32 multiplication that training reaches on a CPU; above 1 where bfloat16 helps."""
SAME_MODEL, OTHER_MODEL = 0.25, 0.5
"""Half-width of the range after runs with the same model, and with others on the same device."""
LOADING_SECONDS = (8.0, 40.0)
ACTIVATION_BYTES, HALF_ACTIVATIONS, DROPOUT_ACTIVATIONS = 160, 0.65, 1.3
"""Bytes a float32 step holds per token, layer and unit of hidden width; times these in bfloat16 and with dropout. Measured."""


@dataclass(frozen=True, slots=True)
class Range:
    """A low and a high value."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Work:
    """What a run computes: the part of the estimate that does not depend on the device."""

    steps: int
    operations_per_step: float
    """Average floating-point operations of an optimiser step on one device."""
    tokens_per_step: float
    """Average tokens of a step, before padding."""
    padded_share: float
    """Share of the computed tokens that is padding."""
    longest_batch: int
    """Tokens of the heaviest batch, padding included."""
    eval_share: float
    """Cost of all evaluations as a share of the cost of all steps."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What to expect of a run."""

    seconds_per_step: Range
    total_seconds: Range
    peak_memory_bytes: Range
    free_memory_bytes: int
    """On the device, when the estimate was made. 0 when unknown."""
    basis: str
    """Where the numbers come from, in a sentence."""
    formula: str = FORMULA

    @property
    def fits(self) -> bool:
        """Whether even the high end of the memory range is free."""
        return not self.free_memory_bytes or self.peak_memory_bytes.high <= self.free_memory_bytes

    def to_json(self) -> dict[str, Any]:
        """The estimate as JSON, `fits` included."""
        return asdict(self) | {"fits": self.fits}


def work_of(
    lengths: Sequence[int], trained: Sequence[int], eval_lengths: Sequence[int], config: RunConfig, size: ModelSize, processes: int = 1
) -> Work:
    """The work of a run over rows of these lengths (tokens) with so many trained tokens each."""
    order = epoch_order(lengths, config.batch_size, seed=config.seed, epoch=0)
    padded = padded_tokens(lengths, order, config.batch_size)
    steps = config.total_steps(len(lengths), processes)
    rows = len(lengths)
    rows_per_step = min(config.rows_per_step, rows)
    padded_per_step, trained_per_step = sum(padded) / rows * rows_per_step, sum(trained) / rows * rows_per_step
    passes = 3 if config.activation_checkpointing else 2
    adapter = size.adapter(config.lora_r)
    operations = padded_per_step * (2 * size.body * passes + 6 * adapter) + 6 * size.head * trained_per_step
    looks = 1 + steps // config.eval_interval(steps)
    eval_operations = sum(eval_lengths) * (2 * size.body + 2 * adapter) + 2 * size.head * sum(eval_lengths) * sum(trained) / max(
        sum(lengths), 1
    )
    return Work(
        steps=steps,
        operations_per_step=operations,
        tokens_per_step=sum(lengths) / rows * rows_per_step,
        padded_share=1 - sum(lengths) / sum(padded),
        longest_batch=max(padded),
        eval_share=looks * eval_operations / (steps * operations),
    )


def estimate(work: Work, config: RunConfig, size: ModelSize, device: Device) -> Estimate:
    """Time and memory of a run on a device. Uses what earlier runs on it measured, else the formula and the device's speed."""
    speed, basis = _speed(config, device)
    step = Range(work.operations_per_step / speed.high, work.operations_per_step / speed.low)
    loading = LOADING_SECONDS
    total = Range(*(loading[i] + work.steps * each * (1 + work.eval_share) for i, each in enumerate((step.low, step.high))))
    return Estimate(step, total, _memory(work, config, size, device), device.memory_bytes, basis)


def _memory(work: Work, config: RunConfig, size: ModelSize, device: Device) -> Range:
    per_weight = 0.6 if config.method == "qlora" else 2 if device.kind == "cuda" else 4
    activations: float = work.longest_batch * size.layers * size.hidden * ACTIVATION_BYTES
    if device.kind == "cuda" or config.precision == "bfloat16":
        activations *= HALF_ACTIVATIONS
    if config.lora_dropout:
        activations *= DROPOUT_ACTIVATIONS
    if config.activation_checkpointing:
        activations /= size.layers / 2
    fixed = size.weights * per_weight + size.adapter(config.lora_r) * 16 + (0.5e9 if device.kind == "cpu" else 1e9)
    low = HALF_ACTIVATIONS if config.precision == "auto" and device.kind == "cpu" else 1.0  # bfloat16 may turn out to be usable
    return Range(fixed + 0.8 * low * activations, fixed + 1.25 * activations)


def _speed(config: RunConfig, device: Device) -> tuple[Range, str]:
    """Operations a second."""
    measured = [each for each in _measurements() if each["device"] == device.name]
    same = [each for each in measured if each["base"] == config.base and each["method"] == config.method]
    for found, width, what in ((same, SAME_MODEL, "with this model"), (measured, OTHER_MODEL, "with other models")):
        if found:
            speeds = [each["operations_per_second"] for each in found[-5:]]
            runs = f"{len(found)} earlier run{'s' if len(found) > 1 else ''}"
            return Range(min(speeds) * (1 - width), max(speeds) * (1 + width)), f"Measured on this machine in {runs} {what}."
    if device.kind == "cuda":
        listed = next((speed for name, speed in CARD_SPEEDS.items() if name in device.name), UNKNOWN_CARD_SPEED)
        return Range(
            *(share * listed * 1e12 for share in CARD_SHARE)
        ), f"The data sheet of {device.name}; no run has been measured on it yet."
    speed = multiplication_speed()
    return Range(
        *(share * speed for share in CPU_SHARE)
    ), "Estimated from a short test of this machine: no training has been timed on it yet."


def multiplication_speed(side: int = 512, repeats: int = 40) -> float:
    """Float32 operations a second of a matrix multiplication here: the quickest of many short ones, as the machine may be busy."""
    left = np.ones((side, side), np.float32)
    quickest = float("inf")
    for _ in range(repeats):
        begun = time.perf_counter()
        left @ left
        quickest = min(quickest, time.perf_counter() - begun)
    return 2 * side**3 / quickest


def calibration_file() -> Path:
    """Where measured speeds are kept: one JSON line per run, in the user's cache of models."""
    return models.cache_folder() / "training_speed.jsonl"


def remember(config: RunConfig, device: Device, work: Work, seconds_per_step: float, peak_memory: int, predicted: Estimate) -> None:
    """Adds what a run measured, so that the next estimate on this machine is closer."""
    measured = {
        "device": device.name,
        "base": config.base,
        "method": config.method,
        "operations_per_second": work.operations_per_step / seconds_per_step,
        "tokens_per_second": work.tokens_per_step / seconds_per_step,
        "seconds_per_step": seconds_per_step,
        "predicted_seconds_per_step": asdict(predicted.seconds_per_step),
        "peak_memory_bytes": peak_memory,
        "predicted_peak_memory_bytes": asdict(predicted.peak_memory_bytes),
        "at": time.time(),
    }
    path = calibration_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)  # one write of one line: two runs never mix
    try:
        os.write(descriptor, (json.dumps(measured) + "\n").encode())
    finally:
        os.close(descriptor)


def _measurements() -> list[dict[str, Any]]:
    path = calibration_file()
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue  # a line torn by a full disk says nothing
    return found
