"""trl.yaml: the same run for TRL's own command line, without Winnow."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from pipelines import models
from pipelines.errors import WorkbenchError
from pipelines.models import describe_source
from pipelines.store.tables import write_text
from pipelines.training.config import RunConfig
from pipelines.training.device import DeviceKind, Precision
from pipelines.training.preflight import TOKENS


def trl_settings(config: RunConfig, *, total_steps: int, device: DeviceKind, precision: Precision, evaluates: bool) -> dict[str, Any]:
    """The run as settings of `trl sft`."""
    return {
        "model_name_or_path": models.base_model(config.base),
        "dtype": "float32" if device == "cpu" else precision,
        "dataset_name": TOKENS,
        "dataset_train_split": "train",
        **({"dataset_test_split": "validation"} if evaluates else {}),
        "max_length": None,
        "packing": False,
        "use_peft": True,
        "lora_r": config.lora_r,
        "lora_alpha": config.lora_alpha,
        "lora_dropout": config.lora_dropout,
        "lora_target_modules": "all-linear",
        **({"load_in_4bit": True, "use_bnb_nested_quant": True} if config.method == "qlora" else {}),
        "max_steps": total_steps,
        "per_device_train_batch_size": config.batch_size,
        "per_device_eval_batch_size": config.batch_size,
        "gradient_accumulation_steps": config.gradient_accumulation,
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": config.scheduler,
        "warmup_steps": config.warmup,
        "weight_decay": config.weight_decay,
        "max_grad_norm": config.max_grad_norm,
        "train_sampling_strategy": "group_by_length",
        "seed": config.seed,
        "use_cpu": device == "cpu",
        "bf16": precision == "bfloat16",
        "fp16": precision == "float16",
        "activation_checkpointing": config.activation_checkpointing,
        "logging_steps": 1,
        "eval_strategy": "steps" if evaluates else "no",
        "eval_steps": config.eval_interval(total_steps),
        "save_strategy": "steps",
        "save_steps": config.save_interval(total_steps),
        "save_total_limit": 2,
        "report_to": "none",
        "output_dir": "trl",
    }


def write_trl_config(settings: dict[str, Any], base: str, path: Path) -> None:
    """Writes trl.yaml. Raises WorkbenchError when the installed TRL does not know a setting: it would ignore it without a word."""
    import yaml

    if unknown := sorted(set(settings) - _known_settings()):
        raise WorkbenchError(f"The installed TRL has no setting called {', '.join(unknown)}. Install the version Winnow asks for.")
    hub_id = describe_source(base).get("hub_id")
    head = [
        "# The same rows, tokens and settings with TRL's own command line. Run it in this folder:",
        "#   trl sft --config trl.yaml",
        *([f"# The base model is a copy of {hub_id} on this machine."] if hub_id else []),
    ]
    write_text("\n".join(head) + "\n" + yaml.safe_dump(settings, sort_keys=False), path)


def _known_settings() -> set[str]:
    from trl import ModelConfig, ScriptArguments, SFTConfig

    return {field.name for each in (SFTConfig, ModelConfig, ScriptArguments) for field in dataclasses.fields(each)}
