"""Language model: the base model, and the same model with a run's adapter merged into it, ready to answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import WorkbenchError
from pipelines.models import base_model
from pipelines.records import content_hash
from pipelines.training.device import prepare_cpu

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

MAX_THREADS = 8
"""More CPU threads than this slow down a model that is small enough to answer on a CPU."""


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A model on its device, in evaluation mode, with none of the generation settings it ships with but its end tokens."""

    model: PreTrainedModel
    pad_id: int
    stop_ids: tuple[int, ...]
    """Tokens that end an answer."""

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.model.device


def load_language_model(base: str, *, pad_id: int, stop_ids: tuple[int, ...]) -> LanguageModel:
    """The base model: on a GPU in bfloat16 when there is one, else on the CPU in float32.

    Raises WorkbenchError when it cannot be loaded from where `base` says.
    """
    import torch
    from transformers import AutoModelForCausalLM, GenerationConfig
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # ours is the only one on the screen
    device, dtype = device_and_dtype()
    if device == "cpu":
        torch.set_num_threads(min(MAX_THREADS, prepare_cpu()))
    source = base_model(base)
    try:
        model = AutoModelForCausalLM.from_pretrained(source, dtype=getattr(torch, dtype))
    except OSError as error:  # what transformers raises for a missing folder, file or hub model
        raise WorkbenchError(f"The base model {base} cannot be loaded: {str(error).splitlines()[0]}") from error
    model = model.eval()
    model.to(torch.device(device))
    own = model.generation_config.eos_token_id
    ends = tuple(sorted({*stop_ids, *(own if isinstance(own, list) else [own] if own is not None else [])}))
    # The settings a model ships with (temperature, repetition penalty, ...) would be mixed into ours by generate().
    model.generation_config = GenerationConfig(do_sample=False, pad_token_id=pad_id, eos_token_id=list(ends))
    return LanguageModel(model, pad_id, ends)


def with_adapter(language_model: LanguageModel, adapter: Path) -> LanguageModel:
    """The model with an adapter merged into its weights. The model given is used up: its weights are changed in place.

    Merged, a token costs as much as without an adapter. Raises WorkbenchError when the adapter's files are missing or hold NaN.
    """
    from peft import PeftModel

    require_adapter(adapter)
    generation = language_model.model.generation_config
    adapted = PeftModel.from_pretrained(language_model.model, str(adapter))
    try:
        merged: Any = adapted.merge_and_unload(safe_merge=True)
    except ValueError as error:
        if "NaN" not in str(error):
            raise
        raise WorkbenchError(
            f"The adapter in {adapter} holds values that are no numbers: its training diverged. Train again with a lower learning rate."
        ) from error
    merged.generation_config = generation
    return LanguageModel(merged.eval(), language_model.pad_id, language_model.stop_ids)


def require_adapter(adapter: Path) -> None:
    """Raises WorkbenchError unless the folder holds an adapter in safetensors form; other forms can run code when they are read."""
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        if not (adapter / name).is_file():
            raise WorkbenchError(f"{adapter} has no {name}: the run has not saved an adapter. Finish the run, or choose another one.")


def device_and_dtype() -> tuple[str, str]:
    """Where a model is put and in which number format: the GPU in bfloat16 where it can, else the CPU in float32."""
    import torch

    if torch.cuda.is_available():
        return "cuda", "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"
    return "cpu", "float32"


def context_tokens(base: str) -> int | None:
    """The most tokens a model can read and write in all; None when it does not say. Reads its configuration only."""
    from transformers import AutoConfig

    return getattr(AutoConfig.from_pretrained(base_model(base)).get_text_config(), "max_position_embeddings", None)


def base_fingerprint(base: str) -> str:
    """Changes with the base model's files, and with what the same files could answer differently under: device and library versions."""
    import torch
    import transformers

    source = Path(base_model(base))
    if source.is_dir():
        files: Any = [
            [f.name, f.stat().st_size, f.stat().st_mtime_ns]
            for f in sorted(source.iterdir())
            if f.suffix in (".json", ".safetensors", ".bin")
        ]
    else:
        files = transformers.AutoConfig.from_pretrained(str(source))._commit_hash
    return content_hash([base, files, *device_and_dtype(), torch.__version__, transformers.__version__])
