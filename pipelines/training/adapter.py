"""Adapter: the folder a run leaves behind. Plain PEFT: it loads without Winnow and can be uploaded as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipelines.models import describe_source
from pipelines.store.tables import write_text
from pipelines.tokens.template import NOTES, ChatFormat
from pipelines.training.config import RunConfig
from pipelines.training.ledger import Ledger


def save_adapter(model: Any, chat: ChatFormat, config: RunConfig, folder: Path) -> list[str]:
    """Writes the adapter with its tokenizer and chat template. Returns the names of the adapted layers, sorted."""
    # Asking whether embeddings changed would look the base model up on the hub; they did not.
    model.save_pretrained(str(folder), save_embedding_layers=False)
    chat.tokenizer.save_pretrained(str(folder))
    write_text(chat.template, folder / "chat_template.jinja")
    path = folder / "adapter_config.json"
    described = json.loads(path.read_text(encoding="utf-8"))
    described["base_model_name_or_path"] = shared_name(config.base)
    # PEFT writes a set: sorted, two runs of the same settings have the same file.
    described["target_modules"] = sorted(described["target_modules"])
    write_text(json.dumps(described, indent=2, sort_keys=True), path)
    return described["target_modules"]


def shared_name(base: str) -> str:
    """What others know a base model by: the hub id of a shipped one, else the name as given."""
    return describe_source(base).get("hub_id", base)


def write_card(folder: Path, config: RunConfig, ledger: Ledger, chat: ChatFormat, *, run: str, steps: int, was_stopped: bool) -> None:
    """The model card, README.md. Written last, over the one PEFT makes."""
    source = describe_source(config.base)
    head = {
        "base_model": shared_name(config.base),
        "base_model_relation": "adapter",
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "license": source.get("license"),
        "tags": ["lora", "sft", "trl", "winnow"],
    }
    front = "\n".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items() if value is not None)
    base = shared_name(config.base) + (f" ({source['note']})" if "note" in source else "")
    used = f"{ledger.trained} rows ({ledger.tokens} tokens, {ledger.trained_tokens} of them in answers and trained)"
    dropped = "".join(f"\n- not used: {len(rows)} rows, {reason}" for reason, rows in ledger.dropped.items())
    length = f"{steps} steps of {config.rows_per_step} rows" + (", stopped early" if was_stopped else "")
    write_text(
        f"""---
{front}
---

# {run}

A LoRA adapter for {base}, trained with Winnow.

## Data

- snapshot: {config.snapshot}
- trained on: {used}{dropped}
- chat template: {NOTES[chat.origin]} It is in this folder.

## Training

- {length}; learning rate {config.learning_rate:g}, {config.scheduler}; seed {config.seed}
- rank {config.lora_r}, alpha {config.lora_alpha}, dropout {config.lora_dropout:g}, all linear layers
- only the answers were trained, each with its turn end

## Use

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("PATH_OF_THIS_FOLDER")
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("{shared_name(config.base)}"), "PATH_OF_THIS_FOLDER")
```

## Limits

It was made for rows like those of its snapshot. What it does with others has not been measured here.
""",
        folder / "README.md",
    )
