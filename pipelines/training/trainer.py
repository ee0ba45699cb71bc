"""Trainer: TRL's supervised trainer, given our tokens and labels, with the loss of every row kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines import models
from pipelines.errors import WorkbenchError
from pipelines.training.batches import EpochSampler
from pipelines.training.config import RunConfig
from pipelines.training.device import DeviceKind, Precision, qlora_refusal
from pipelines.training.losses import RowLosses

PAD_TOKENS = ("<|finetune_right_pad_id|>", "<|endoftext|>", "<pad>", "[PAD]", "<unk>")
"""Tokens that can fill up a batch, for models whose pad token is also their turn end."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What is known about a run when its trainer is built."""

    config: RunConfig
    total_steps: int
    device: DeviceKind
    precision: Precision
    checkpoints: Path


def arguments(setup: Setup, *, evaluates: bool) -> Any:
    """The SFTConfig of a run. Every setting whose default is a trap is set: see the comments."""
    from trl import SFTConfig

    config = setup.config
    on_cpu = setup.device == "cpu"
    return SFTConfig(
        output_dir=str(setup.checkpoints),
        max_length=None,  # we cut or drop, with a record of it; TRL would cut without a word
        packing=False,  # packing drops the row numbers
        assistant_only_loss=False,  # our labels say what is trained
        max_steps=setup.total_steps,
        per_device_train_batch_size=config.batch_size,
        per_device_eval_batch_size=config.batch_size,
        gradient_accumulation_steps=config.gradient_accumulation,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.scheduler,
        warmup_steps=config.warmup,  # below 1 it is a share; warmup_ratio is gone
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        optim="adamw_torch" if on_cpu else "adamw_torch_fused",
        seed=config.seed,
        use_cpu=on_cpu,
        bf16=setup.precision == "bfloat16",  # TRL's default is True and fails on machines that cannot
        fp16=setup.precision == "float16",
        activation_checkpointing=config.activation_checkpointing,  # TRL's default is True
        dataloader_num_workers=0,
        dataloader_pin_memory=not on_cpu,
        remove_unused_columns=False,  # the row number has to reach the loss
        logging_steps=1,
        logging_nan_inf_filter=False,  # a loss that is no number has to be seen
        eval_strategy="steps" if evaluates else "no",
        eval_steps=config.eval_interval(setup.total_steps),
        eval_on_start=evaluates,
        save_strategy="steps",
        save_steps=config.save_interval(setup.total_steps),
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
        ddp_find_unused_parameters=False,
    )


def load_base(config: RunConfig, device: DeviceKind, precision: Precision) -> Any:
    """The base model, ready to get an adapter. Its number format is always stated: TRL and transformers differ in their defaults."""
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # ours is the only one on the screen
    kwargs: dict[str, Any] = {"dtype": torch.float32 if device == "cpu" else getattr(torch, precision)}
    if config.method == "qlora":
        if refusal := qlora_refusal():
            raise WorkbenchError(refusal)
        from accelerate import PartialState
        from transformers import BitsAndBytesConfig

        kwargs["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=kwargs["dtype"]
        )
        kwargs["device_map"] = {"": PartialState().process_index}
    try:
        return AutoModelForCausalLM.from_pretrained(models.base_model(config.base), **kwargs)
    except (OSError, ValueError) as error:
        raise WorkbenchError(f"Cannot load the base model {config.base}: {error} Give a folder or a hub id that can be reached.") from error


def restore_adapter(model: Any, checkpoint: Path) -> None:
    """Gives a model with a fresh adapter the weights of a checkpoint."""
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    set_peft_model_state_dict(model, load_file(checkpoint / "adapter_model.safetensors"))


def pad_token_id(tokenizer: Any) -> int:
    """A token to fill batches up with. Not the end token if another one can be had, though padding is never trained either way."""
    if tokenizer.pad_token_id is not None and tokenizer.pad_token_id != tokenizer.eos_token_id:
        return int(tokenizer.pad_token_id)
    vocabulary = tokenizer.get_vocab()
    other = next((vocabulary[token] for token in PAD_TOKENS if token in vocabulary and token != tokenizer.eos_token), None)
    found = other if other is not None else tokenizer.eos_token_id
    return int(found) if found is not None else 0


def examples(table: pa.Table) -> Any:
    """A `datasets.Dataset` of the token table: input_ids, labels, and the row's number in the table."""
    from datasets import Dataset
    from datasets.table import InMemoryTable

    numbered = table.select(["input_ids", "labels"]).append_column("row", pa.array(range(table.num_rows), pa.int64()))
    return Dataset(InMemoryTable(numbered.combine_chunks()))


class RowCollator:
    """Pads a batch as TRL does and keeps the row numbers."""

    def __init__(self, pad_token: int) -> None:
        from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

        self.pad = DataCollatorForLanguageModeling(pad_token_id=pad_token)

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The batch as tensors."""
        import torch

        return self.pad(list(rows)) | {"row": torch.tensor([row["row"] for row in rows])}


def build_trainer(setup: Setup, *, model: Any, tokenizer: Any, train: pa.Table, validation: pa.Table | None, losses: RowLosses) -> Any:
    """A trainer whose `losses` fill up as it trains."""
    from peft import LoraConfig
    from transformers.trainer_callback import PrinterCallback
    from trl import SFTTrainer

    class RunTrainer(SFTTrainer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            # TRL computes the log probability of every token and keeps none. A hook sees them pass.
            assert self.model is not None
            self.model.register_forward_hook(self._keep_output)
            self.last_output: Any = None

        def _keep_output(self, _module: Any, _inputs: Any, output: Any) -> None:
            self.last_output = output

        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            # Ours gives the same batches again after a resume, and mixes batches of like length.
            return EpochSampler(train.column("tokens").to_pylist(), setup.config.batch_size, setup.config.seed)

        def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None) -> Any:
            rows = inputs.pop("row")
            loss = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            if model.training:
                log_probs, scored = self.last_output.log_probs.detach().float(), self.last_output.label_mask
                by_row = -(log_probs.sum(1) / scored.sum(1).clamp(min=1))
                losses.note(int((self.state.epoch or 0) + 1e-6), rows.tolist(), by_row.tolist())
            self.last_output = None
            return loss

        def _send_telemetry(self) -> None:
            """Nothing is sent anywhere."""

        def create_model_card(self, *_: Any, **__: Any) -> None:
            """We write our own card, once, at the end."""

    if setup.device == "cpu":
        _score_only_trained_tokens()
    trainer = RunTrainer(
        model=model,
        args=arguments(setup, evaluates=validation is not None),
        train_dataset=examples(train),
        eval_dataset=None if validation is None else examples(validation),
        processing_class=tokenizer,
        data_collator=RowCollator(pad_token_id(tokenizer)),
        peft_config=LoraConfig(
            r=setup.config.lora_r,
            lora_alpha=setup.config.lora_alpha,
            lora_dropout=setup.config.lora_dropout,
            target_modules="all-linear",  # PEFT's default would be the queries and values only
            task_type="CAUSAL_LM",
        ),
    )
    trainer.remove_callback(PrinterCallback)  # it would print to stdout, which belongs to the command line's answer
    return trainer


def _score_only_trained_tokens() -> None:
    """Makes TRL's output layer skip untrained tokens on a CPU, as it does on cards. Their values are thrown away either way.

    trl 1.16 scores all positions where there is no Triton, to keep shapes fixed for compilers; with a mask that trains a fifth
    of the tokens, that is a third of a CPU step spent on nothing.
    """
    from trl.trainer import utils

    if hasattr(utils, "_use_triton"):
        utils._use_triton = lambda device: device.type in ("cpu", "cuda", "xpu")
